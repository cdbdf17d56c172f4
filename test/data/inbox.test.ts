import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type Inbox, startInbox } from '../../local/inbox/inbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'emk-inbox-'))
let inbox: Inbox | undefined
const start = async () => {
  inbox = await startInbox({ dir: folder })
  return inbox
}
afterEach(async () => {
  await inbox?.stop()
  inbox = undefined
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Page {
  total: number
  data: { id: number; to: string[]; from: string; subject: string; message_id: string; size: number }[]
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${inbox?.url}${path}`)
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

const mail = (n: number) =>
  [
    'From: =?UTF-8?Q?Nov=C3=A1k?= <news@example.com>',
    `To: reader${n}@example.com`,
    `Subject: =?UTF-8?B?${Buffer.from(`Žluť ${n}`).toString('base64')}?=`,
    `Message-ID: <${n}.campaign@example.com>`,
    'Content-Type: text/html; charset=utf-8',
    '',
    `<p>Mail ${n}</p>`,
    '..dot',
    '.',
  ].join('\r\n')

/** Everything at once, as RFC 2920 allows: the replies are read afterwards. */
function pipeline(port: number, readers: number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let replies = ''
    let started = false
    socket.on('data', (data) => {
      replies += data
      if (started || !replies.includes('220 ')) return
      started = true
      const groups = readers.map(
        (n) => `MAIL FROM:<b@example.com> BODY=8BITMIME\r\nRCPT TO:<reader${n}@example.com>\r\nDATA\r\n${mail(n)}\r\n`,
      )
      socket.write(`EHLO [127.0.0.1]\r\n${groups.join('')}QUIT\r\n`)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(replies))
  })
}

test('takes a thousand pipelined mails and finds each', async () => {
  const { smtp_port } = await start()
  const replies = await pipeline(
    smtp_port,
    Array.from({ length: 1000 }, (_, n) => n),
  )
  for (const extension of ['PIPELINING', '8BITMIME', 'SMTPUTF8']) expect(replies).toContain(extension)
  expect(replies.match(/^250 2\.0\.0 kept as/gm)).toHaveLength(1000)

  expect(await get('/api/summary')).toEqual({ messages: 1000, unique_recipients: 1000 })
  const seen: number[] = []
  for (let after = ''; ; ) {
    const { total, data } = await get<Page>(`/api/messages?limit=300${after}`)
    expect(total).toBe(1000)
    if (data.length === 0) break
    seen.push(...data.map(({ id }) => id))
    after = `&after=${seen.at(-1)}`
  }
  expect(new Set(seen).size).toBe(1000)
  expect([...seen].sort((a, b) => b - a)).toEqual(seen)

  const found = await get<Page>('/api/messages?to=READER7@example.com')
  expect(found).toMatchObject({
    total: 1,
    data: [
      {
        to: ['reader7@example.com'],
        from: '"Novák" <news@example.com>',
        subject: 'Žluť 7',
        message_id: '7.campaign@example.com',
      },
    ],
  })
  expect((await get<Page>('/api/messages?query=žluť%20999')).total).toBe(1)

  const path = `/api/messages/${found.data[0]?.id}`
  expect(await get(path)).toMatchObject({
    html: '<p>Mail 7</p>\r\n.dot\r\n'.replaceAll('\r\n', '\n'),
    headers: expect.arrayContaining([{ name: 'Message-ID', value: '<7.campaign@example.com>' }]),
  })
  const raw = await (await fetch(`${inbox?.url}${path}/raw`)).text()
  expect(raw).toContain(mail(7).replace('\r\n..dot\r\n.', '\r\n.dot\r\n'))
})

test('a restart keeps every mail, also after a line that was cut off', async () => {
  appendFileSync(join(folder, 'index.jsonl'), '{"id":1001,"to":["lost')
  const { smtp_port } = await start()
  expect(await get('/api/summary')).toEqual({ messages: 1000, unique_recipients: 1000 })
  await pipeline(smtp_port, [5])
  expect(await get('/api/summary')).toEqual({ messages: 1001, unique_recipients: 1000 })
  expect((await get<Page>('/api/messages?to=reader5@example.com')).data.map(({ id }) => id)).toEqual([1001, 6])
})

test('an ordinary client, with and without a login', async () => {
  const { smtp_port } = await start()
  for (const auth of [undefined, { user: 'anybody', pass: 'anything' }]) {
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: smtp_port, ...(auth ? { auth } : {}) })
    await transport.sendMail({
      from: 'a@example.com',
      to: ['jiří@example.com', 'two@example.com'],
      subject: auth ? 'with a login' : 'without',
      text: 'plain',
      attachments: [{ filename: 'a.txt', content: 'x' }],
    })
    transport.close()
  }
  const { data } = await get<Page>('/api/messages?to=jiří@example.com')
  expect(data.map(({ subject }) => subject)).toEqual(['with a login', 'without'])
  expect(await get(`/api/messages/${data[0]?.id}`)).toMatchObject({
    to: ['jiří@example.com', 'two@example.com'],
    text: 'plain',
    html: null,
    attachments: [{ filename: 'a.txt', content_type: 'text/plain', size: 1 }],
  })
})

test('pages may run no foreign script; other hosts are not answered', async () => {
  const { url, http_port } = await start()
  const page = await fetch(url)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
  expect(await (await fetch(`${url}/page.js`)).text()).toContain("setAttribute('sandbox', 'allow-popups")
  const rebound = await new Promise<string>((resolve) => {
    const socket = connect(http_port, '127.0.0.1')
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
    socket.write('GET /api/messages HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  })
  expect(rebound).toMatch(/^HTTP\/1\.1 403/)
  expect((await fetch(`${url}/api/messages?limit=x`)).status).toBe(400)
  expect((await fetch(`${url}/api/messages/999999`)).status).toBe(404)
})

test('deleting all empties index and folder, and new mails still come', async () => {
  const { url, smtp_port } = await start()
  expect((await fetch(`${url}/api/messages`, { method: 'DELETE' })).status).toBe(204)
  expect(await get('/api/summary')).toEqual({ messages: 0, unique_recipients: 0 })
  expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.eml'))).toEqual([])
  await pipeline(smtp_port, [1])
  const { data } = await get<Page>('/api/messages')
  expect(data).toHaveLength(1)
  expect((await fetch(`${url}/api/messages/${data[0]?.id}/raw`)).status).toBe(200)
})
