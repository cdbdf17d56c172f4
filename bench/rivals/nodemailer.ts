// nodemailer in Node: pooled connections, each mail composed from ready HTML and text.
import { createTransport } from 'nodemailer'
import { readSamples } from '../samples.ts'
import { mailOptions } from './mail-options.ts'
import { obey } from './rival.ts'

/** Mails handed over and not yet sent, for each connection: enough that none ever waits for one. */
const IN_FLIGHT = 5

const [file = '', port = '', connections = ''] = process.argv.slice(2)
const samples = readSamples(file)
const transport = createTransport({
  host: '127.0.0.1',
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Number.POSITIVE_INFINITY,
})

obey(async (count) => {
  let next = 0
  const worker = async () => {
    while (next < count) await transport.sendMail(mailOptions(samples, next++))
  }
  await Promise.all(Array.from({ length: Number(connections) * IN_FLIGHT }, worker))
})
