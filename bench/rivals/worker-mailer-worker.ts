import { WorkerMailer } from 'worker-mailer'
import type { SampleMail } from '../samples.ts'

let mails: SampleMail[] = []

export default {
  async fetch(request: Request, env: { SINK_PORT: string }): Promise<Response> {
    if (new URL(request.url).pathname === '/mails') {
      mails = await request.json()
      return new Response()
    }
    const { from, recipients } = (await request.json()) as { from: number; recipients: string[] }
    const mailer = await WorkerMailer.connect({
      host: '127.0.0.1',
      port: Number(env.SINK_PORT),
      secure: false,
      startTls: false,
    })
    for (const [i, to] of recipients.entries()) {
      const mail = mails[(from + i) % mails.length]
      if (!mail) throw new Error('there are no mails')
      await mailer.send({
        from: { name: mail.from.name ?? '', email: mail.from.email },
        to: { name: mail.to.name ?? '', email: to },
        ...(mail.reply_to === null ? {} : { reply: mail.reply_to }),
        subject: mail.subject,
        html: mail.html,
        text: mail.text,
        headers: { ...Object.fromEntries(mail.headers), 'Message-ID': `<${from + i}.${mail.message_id}>` },
      })
    }
    await mailer.close()
    return new Response()
  },
}
