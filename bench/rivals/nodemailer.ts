// nodemailer in Node: five pooled connections, each mail composed from ready HTML and text.
import { createTransport } from 'nodemailer'
import { readSamples } from '../samples.ts'
import { obey } from './rival.ts'

const CONNECTIONS = 5
/** Mails handed over and not yet sent: enough that no connection ever waits for one. */
const IN_FLIGHT = 25

const [file = '', port = ''] = process.argv.slice(2)
const { recipients, mails } = readSamples(file)
const transport = createTransport({
  host: '127.0.0.1',
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: CONNECTIONS,
  maxMessages: Number.POSITIVE_INFINITY,
})

obey(async (count) => {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const n = next++
      const mail = mails[n % mails.length]
      const to = recipients[n]
      if (!mail || !to) throw new Error('there are too few recipients')
      await transport.sendMail({
        from: { name: mail.from.name ?? '', address: mail.from.email },
        to: { name: mail.to.name ?? '', address: to },
        replyTo: mail.reply_to ?? undefined,
        subject: mail.subject,
        html: mail.html,
        text: mail.text,
        messageId: `<${n}.${mail.message_id}>`,
        headers: Object.fromEntries(mail.headers),
      })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
})
