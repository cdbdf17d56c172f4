// The physical limit: ready messages written to sockets by RFC 2920, and nothing else done.
import { connect, type Socket } from 'node:net'
import { buildMessage } from '../../src/mime/message.ts'
import { wireData } from '../../src/providers/smtp/data.ts'
import { readSamples } from '../samples.ts'
import { obey } from './rival.ts'

const [file = '', port = '', connections = ''] = process.argv.slice(2)
const { recipients, mails } = readSamples(file)
const ready = mails.map((mail) => ({
  from: mail.envelope_from,
  data: wireData(buildMessage({ ...mail, date: new Date(mail.date) }).bytes),
}))

obey(async (count) => {
  let next = 0
  const one = async () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.setNoDelay(true)
    const answers = replies(socket)
    await answers(1)
    socket.write('EHLO bench.example\r\n')
    await answers(1)
    let body: Buffer | Uint8Array | null = null
    while (true) {
      const n = next < count ? next++ : -1
      const mail = n < 0 ? undefined : ready[n % ready.length]
      socket.cork()
      if (body) socket.write(body)
      if (mail) socket.write(`MAIL FROM:<${mail.from}>\r\nRCPT TO:<${recipients[n]}>\r\nDATA\r\n`)
      socket.uncork()
      await answers((body ? 1 : 0) + (mail ? 3 : 0))
      if (!mail) break
      body = mail.data
    }
    socket.end('QUIT\r\n')
  }
  await Promise.all(Array.from({ length: Number(connections) }, one))
})

/** Waits for so many replies; the sink refuses nothing, so their last lines are counted and not read. */
function replies(socket: Socket): (count: number) => Promise<void> {
  let come = 0
  let wanted = 0
  let resume: () => void = () => {}
  let fail: (error: Error) => void = () => {}
  socket.on('close', () => fail(new Error('the sink closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString('latin1').split('\r\n')) if (/^[23]\d\d /.test(line)) come++
    if (come >= wanted) resume()
  })
  return (count) => {
    wanted += count
    return new Promise((resolve, reject) => {
      resume = resolve
      fail = reject
      if (come >= wanted) resolve()
    })
  }
}
