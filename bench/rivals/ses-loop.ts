// What a script of one's own does with Amazon SES: nodemailer's MailComposer makes the message, aws4fetch signs the
// request, and so many of them are under way at once. `ready` leaves only the requests: what the endpoint can take.
import { AwsClient } from 'aws4fetch'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { readSamples } from '../samples.ts'
import { mailOptions } from './mail-options.ts'
import { obey } from './rival.ts'

const [file = '', port = '', in_flight = '', what = ''] = process.argv.slice(2)
const samples = readSamples(file)
const url = `http://127.0.0.1:${port}/v2/email/outbound-emails`
const aws = new AwsClient({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  region: 'eu-west-1',
  service: 'ses',
  retries: 0,
})

async function composed(n: number): Promise<RequestInit> {
  const message = await new MailComposer(mailOptions(samples, n)).compile().build()
  const body = JSON.stringify({
    Destination: { ToAddresses: [samples.recipients[n]] },
    Content: { Raw: { Data: message.toString('base64') } },
  })
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body }
}

/** Made with the first order, which is the one that does not count. */
let ready: RequestInit[] | null = null

obey(async (count) => {
  if (what === 'ready') ready ??= await Promise.all(samples.recipients.map((_, n) => composed(n)))
  let next = 0
  const lane = async () => {
    while (next < count) {
      const n = next++
      const response = await (ready ? fetch(url, ready[n]) : aws.fetch(url, await composed(n)))
      if (response.status !== 200) throw new Error(`the endpoint answered ${response.status}`)
      await response.text()
    }
  }
  await Promise.all(Array.from({ length: Number(in_flight) }, lane))
})
