// Which mailbox provider an address belongs to, by its domain. Companies whose own domain is at Google or Microsoft cannot be
// told by it; they are counted under their domain.

const DOMAINS: Record<string, string> = {
  Gmail: 'gmail.com googlemail.com',
  Microsoft: `outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.at outlook.be outlook.dk outlook.ie
    outlook.com.br outlook.com.au hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.be
    hotmail.ch hotmail.se hotmail.com.br hotmail.com.ar live.com live.co.uk live.de live.fr live.it live.nl live.be live.se
    live.dk live.at live.ca live.com.au live.com.mx live.com.pt live.cn msn.com passport.com windowslive.com`,
  Yahoo: `yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.au
    yahoo.co.in yahoo.in yahoo.co.id yahoo.com.ph yahoo.com.sg yahoo.com.hk yahoo.com.tw yahoo.com.vn yahoo.ie yahoo.se yahoo.gr
    yahoo.ro yahoo.pl ymail.com rocketmail.com myyahoo.com aol.com aol.co.uk aol.de aol.fr aim.com netscape.net verizon.net
    att.net sbcglobal.net bellsouth.net`,
  'Apple iCloud': 'icloud.com me.com mac.com privaterelay.appleid.com',
  'GMX and Web.de':
    'gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.org gmx.eu gmx.info gmx.fr gmx.es gmx.co.uk gmx.us web.de mail.com email.com',
  'T-Online': 't-online.de magenta.de',
  Proton: 'proton.me protonmail.com protonmail.ch pm.me',
  Orange: 'orange.fr wanadoo.fr',
  'Free.fr': 'free.fr',
  'La Poste': 'laposte.net',
  SFR: 'sfr.fr neuf.fr',
  Libero: 'libero.it virgilio.it inwind.it iol.it',
  Comcast: 'comcast.net xfinity.com',
  Yandex: 'yandex.ru yandex.com ya.ru yandex.by yandex.kz',
  'Mail.ru': 'mail.ru bk.ru inbox.ru list.ru internet.ru',
  Tencent: 'qq.com foxmail.com vip.qq.com',
  NetEase: '163.com 126.com yeah.net',
  Naver: 'naver.com',
  'Yahoo Japan': 'yahoo.co.jp ymail.ne.jp',
  Seznam: 'seznam.cz email.cz post.cz',
  'WP and o2': 'wp.pl o2.pl tlen.pl',
  Fastmail: 'fastmail.com fastmail.fm',
}

export const PROVIDER_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(DOMAINS).flatMap(([provider, domains]) => domains.split(/\s+/).map((domain) => [domain, provider])),
)
