import type Mail from 'nodemailer/lib/mailer'
import type { SampleMail, Samples } from '../samples.ts'

/** The `n`th mail as nodemailer takes it: HTML and text are ready, the rest is composed. */
export function mailOptions({ mails, recipients }: Samples, n: number): Mail.Options {
  const mail: SampleMail | undefined = mails[n % mails.length]
  const to = recipients[n]
  if (!mail || !to) throw new Error('there are too few recipients')
  return {
    from: { name: mail.from.name ?? '', address: mail.from.email },
    to: { name: mail.to.name ?? '', address: to },
    replyTo: mail.reply_to ?? undefined,
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    messageId: `<${n}.${mail.message_id}>`,
    headers: Object.fromEntries(mail.headers),
  }
}
