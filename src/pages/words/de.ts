import type { Words } from './words.ts'

export const de: Words = {
  language: 'de',
  frame: { home: 'Unsere Website', privacy: 'Datenschutz' },
  signup: {
    form_title: 'Anmelden',
    form_title_list: '{list} abonnieren',
    email: 'E-Mail-Adresse',
    first_name: 'Vorname',
    last_name: 'Nachname',
    optional: 'freiwillig',
    lists: 'Was möchten Sie erhalten?',
    submit: 'Anmelden',
    leave_empty: 'Dieses Feld leer lassen',
    email_wrong: 'Bitte geben Sie eine vollständige E-Mail-Adresse ein, zum Beispiel name@example.com.',
    text_wrong: 'Bitte kürzen Sie dies auf 200 Zeichen in einer Zeile.',
    lists_wrong: 'Bitte wählen Sie mindestens eine Möglichkeit.',
    challenge_wrong: 'Bitte bestätigen Sie, dass Sie kein Roboter sind, und senden Sie das Formular noch einmal ab.',
    inbox_title: 'Bitte sehen Sie in Ihr Postfach',
    inbox_text:
      'Wir haben eine E-Mail an {email} geschickt. Öffnen Sie sie und betätigen Sie den Knopf darin: Erst dann sind Sie angemeldet.',
    inbox_missing:
      'Nach einigen Minuten nichts da? Sehen Sie im Spam-Ordner nach oder lassen Sie die E-Mail noch einmal schicken.',
    resend: 'E-Mail noch einmal schicken',
    thanks_title: 'Vielen Dank',
    thanks_text: 'Ihre Anmeldung für {list} ist angekommen.',
    thanks_maybe:
      'Falls Sie sie noch bestätigen müssen, ist eine E-Mail an Sie unterwegs: Betätigen Sie den Knopf darin.',
    confirm_title: 'Anmeldung bestätigen',
    confirm_text: '{email} wird angemeldet für:',
    confirm_agree: 'Mit der Bestätigung stimmen Sie dem zu:',
    confirm_button: 'Bestätigen',
    confirm_not_you:
      'Das waren nicht Sie? Schließen Sie einfach diese Seite: Ohne Ihre Bestätigung geschieht nichts, und die Adresse wird vergessen.',
    confirmed_title: 'Sie sind angemeldet',
    confirmed_text: 'Danke für die Bestätigung. Sie erhalten:',
    confirmed_leave: 'In jeder E-Mail ist ein Link zum Abmelden.',
    before_title: 'Schon bestätigt',
    before_text:
      'Sie haben diese Anmeldung schon bestätigt: Es ist nichts mehr zu tun, und gerade wurde nichts geändert.',
    before_left:
      'Wenn Sie sich seither abgemeldet haben und zurückkommen möchten, füllen Sie bitte das Formular noch einmal aus.',
    expired_title: 'Dieser Link ist abgelaufen',
    expired_text: 'Er galt {days} Tage. Bitte füllen Sie das Formular noch einmal aus: Sie bekommen einen neuen.',
    broken_title: 'Dieser Link ist beschädigt',
    broken_text:
      'Die Adresse ist unvollständig oder wurde unterwegs verändert. Öffnen Sie die E-Mail noch einmal und folgen Sie dem Link von dort.',
    deleted_title: 'Diese Liste gibt es nicht mehr',
    deleted_text:
      'Wofür Sie sich angemeldet haben, gibt es nicht mehr. Es wurde nichts geändert, und Sie erhalten nichts.',
    missing_title: 'Dieses Formular gibt es nicht',
    missing_text:
      'Unter dieser Adresse kann sich niemand anmelden. Bitte gehen Sie zurück zu der Seite, von der Sie kommen.',
    limit_title: 'Bitte warten Sie etwas',
    limit_text:
      'Aus Ihrem Netz oder für diese Adresse kamen zu viele Anmeldungen. Bitte versuchen Sie es in {minutes} Min. noch einmal.',
    failed_title: 'Bitte noch einmal versuchen',
    failed_text:
      'Wir konnten dies gerade nicht speichern, es wurde nichts geändert. Bitte versuchen Sie es in einer Minute noch einmal.',
    unreadable_title: 'Das haben wir nicht verstanden',
    unreadable_text:
      'Was gesendet wurde, ist kein ausgefülltes Formular von uns. Bitte gehen Sie zurück und füllen Sie das Formular noch einmal aus.',
    mail_subject: 'Bitte bestätigen Sie Ihre Anmeldung für {list}',
    mail_text:
      'Jemand, hoffentlich Sie, hat diese Adresse für {list} angemeldet. Bitte bestätigen Sie, dass Sie das möchten.',
    mail_button: 'Anmeldung bestätigen',
    mail_small: 'Wenn Sie das nicht waren, müssen Sie nichts tun: Sie werden nicht angemeldet.',
    already_subject: 'Sie sind schon für {list} angemeldet',
    already_text:
      'Jemand, hoffentlich Sie, hat diese Adresse eben für {list} angemeldet. Sie sind schon angemeldet: Es ist nichts mehr zu tun.',
    already_small: 'Wenn Sie das nicht waren, müssen Sie nichts tun.',
  },
  preferences: {
    title: 'Ihre E-Mail-Einstellungen',
    for_address: 'Für {address}',
    lists: 'Was Sie erhalten',
    no_lists: 'Zurzeit gibt es nichts auszuwählen.',
    consent: 'Senden Sie mir „{list}“ per E-Mail. Ich kann das jederzeit beenden.',

    pause: 'Pause machen',
    pause_help: 'Sie bleiben angemeldet; bis die Pause vorbei ist, wird Ihnen nichts gesendet.',
    pause_none: 'Keine Pause',
    pause_keep: 'Die Pause so lassen, bis {date}',
    pause_week: 'Für 1 Woche',
    pause_month: 'Für 1 Monat',
    pause_quarter: 'Für 3 Monate',
    pause_end: 'Die Pause jetzt beenden',

    all: 'Alles beenden',
    all_choice: 'Mich von allen E-Mails abmelden',
    all_help: 'Keinerlei E-Mails mehr von diesem Absender, was auch immer oben angekreuzt ist.',
    reason: 'Falls Sie sich abmelden, warum? (freiwillig)',
    reason_none: 'Keine Angabe',
    reason_too_many: 'Zu viele E-Mails',
    reason_not_relevant: 'Sie sind nichts für mich',
    reason_never_asked: 'Ich habe sie nie bestellt',
    reason_other: 'Etwas anderes',
    reason_text: 'In Ihren Worten (freiwillig)',

    save: 'Speichern',

    unsubscribed:
      'Sie sind abgemeldet: Ihnen wird nichts gesendet. Um wieder E-Mails zu erhalten, kreuzen Sie an, was Sie möchten, und speichern Sie.',
    bounced:
      'E-Mails an Ihre Adresse kamen zurück, deshalb wird Ihnen nichts mehr gesendet. Wenn Ihr Postfach wieder funktioniert, kreuzen Sie an, was Sie möchten, und speichern Sie.',
    complained:
      'Eine E-Mail an Sie wurde als Spam gemeldet, deshalb wird Ihnen nichts mehr gesendet. Falls das ein Versehen war, kreuzen Sie an, was Sie möchten, und das Feld darunter.',
    again: 'Ja, senden Sie mir wieder E-Mails, obwohl eine als Spam gemeldet wurde',
    blocked:
      'Dieser Absender hat Ihre Adresse gesperrt: Ihre Auswahl wird gespeichert, aber gesendet wird erst, wenn er die Sperre aufhebt.',
    leaving: 'Sie haben sich gerade abgemeldet. Das gilt schon; diese Seite zeigt es in einer Minute.',

    saved_title: 'Ihre Auswahl ist gespeichert',
    now_on: 'Sie erhalten ab jetzt „{list}“.',
    now_off: 'Sie erhalten „{list}“ nicht mehr.',
    not_on:
      '„{list}“ wurde nicht eingeschaltet: Sie haben sich inzwischen davon abgemeldet. Sehen Sie sich Ihre Einstellungen noch einmal an.',
    all_off: 'Sie erhalten keine E-Mails mehr von diesem Absender.',
    paused: 'Bis {date} wird Ihnen nichts gesendet.',
    resumed: 'Die Pause ist beendet.',
    back: 'Zurück zu Ihren Einstellungen',

    nothing_title: 'Es wurde nichts geändert',
    nothing: 'Es bleibt bei dem, was Sie bisher erhalten.',
    unclear: 'Wir haben nicht verstanden, was geändert werden soll. Bitte wählen Sie noch einmal.',
    unknown_list: 'Etwas, das Sie angekreuzt haben, wird nicht mehr angeboten. Bitte wählen Sie noch einmal.',
    again_needed:
      'Eine E-Mail an Sie wurde als Spam gemeldet. Um wieder E-Mails zu erhalten, kreuzen Sie bitte auch das Feld an, in dem das steht, und speichern Sie noch einmal.',
    stale:
      'Seit Sie die Seite geöffnet haben, hat sich etwas geändert. Bitte sehen Sie sich Ihre Einstellungen noch einmal an.',
    too_soon_title: 'Einen Moment, bitte',
    too_soon:
      'Sie haben sich gerade abgemeldet, und das wird noch aufgeschrieben. Sonst wurde nichts geändert. Bitte wählen Sie in einer Minute noch einmal.',
    later_title: 'Bitte noch einmal versuchen',
    later: 'Das geht gerade nicht. Bitte versuchen Sie es in einer Minute noch einmal.',
    broken_title: 'Dieser Link ist nicht gültig',
    broken:
      'Die Adresse ist unvollständig oder wurde auf dem Weg zu Ihnen verändert. Öffnen Sie die E-Mail noch einmal und folgen Sie dem Link von dort.',
    gone_title: 'Hier gibt es nichts mehr',
    gone: 'Alles zu dieser Adresse wurde gelöscht, und an sie wird nichts gesendet.',
    test_title: 'Das war eine Test-E-Mail',
    test: 'Ihr Link funktioniert. In der E-Mail, die Abonnenten bekommen, zeigt die Seite dahinter, was sie erhalten, und lässt sie es ändern.',
    old_title: 'Dieser Link ist alt',
    old: 'Er kann Sie noch von allen E-Mails abmelden. Für alles andere öffnen Sie den Link in einer neueren E-Mail.',
    old_leave: 'Mich von allen E-Mails abmelden',
  },
  data: {
    title: 'Ihre Daten',
    intro: 'Wir senden einen Link an {address}, damit nur Sie ihn benutzen können.',
    ask_export: 'Meine Daten anfordern',
    ask_erase: 'Meine Daten löschen',

    asked_title: 'Sehen Sie in Ihr Postfach',
    asked: 'Eine E-Mail an {address} ist unterwegs. Der Link darin gilt 24 Stunden.',
    limit_title: 'Das reicht für heute',
    limit:
      'Sie haben innerhalb eines Tages drei solche E-Mails angefordert. Bitte benutzen Sie den Link in einer davon, oder fragen Sie morgen noch einmal.',
    unreachable_title: 'Wir können Sie nicht erreichen',
    unreachable:
      'An Ihre Adresse kann keine E-Mail gesendet werden. Bitte schreiben Sie dem Absender der E-Mail, über die Sie hierher kamen.',

    export_subject: 'Ihre Daten',
    export_mail: 'Sie haben alles angefordert, was wir über Sie gespeichert haben. Hier bekommen Sie es als Datei:',
    export_mail_button: 'Meine Daten holen',
    erase_subject: 'Ihre Daten löschen',
    erase_mail:
      'Sie haben uns gebeten, alles zu löschen, was wir über Sie gespeichert haben. Bitte bestätigen Sie es hier:',
    erase_mail_button: 'Meine Daten löschen',
    mail_small:
      'Der Link gilt 24 Stunden. Wenn Sie das nicht angefordert haben, tun Sie nichts: dann geschieht auch nichts.',

    export_title: 'Ihre Daten',
    export_text:
      'Alles, was wir über Sie gespeichert haben, in einer Datei: Profil, Einwilligungen, und was gesendet, geöffnet und angeklickt wurde. Behalten Sie sie für sich.',
    export_button: 'Datei holen',
    erase_title: 'Ihre Daten löschen?',
    erase_text:
      'Alles, was wir über Sie gespeichert haben, wird gelöscht, und Ihnen werden keine E-Mails mehr gesendet. Das lässt sich nicht rückgängig machen. Ein unlesbares Merkmal Ihrer Adresse bleibt, damit keine alte Liste Sie zurückbringt.',
    erase_button: 'Alles über mich löschen',
    erased_title: 'Ihre Daten sind gelöscht',
    erased: 'Über Sie ist nichts mehr gespeichert, und Ihnen wird nichts mehr gesendet.',
    expired_title: 'Dieser Link ist abgelaufen',
    expired: 'Er galt 24 Stunden. Öffnen Sie Ihre Einstellungen aus einer unserer E-Mails und fragen Sie noch einmal.',
  },
}
