import { expect, test } from 'vitest'
import { agentOf, deviceOf, familyOf } from '../../../src/tracking/agents.ts'

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)'
const IPAD = 'Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X)'
const PIXEL = 'Mozilla/5.0 (Linux; Android 15; Pixel 9)'

test.each([
  // What people read with.
  [`${WINDOWS} ${CHROME} Safari/537.36`, 'chrome', 'chrome', 'computer'],
  [`${PIXEL} ${CHROME} Mobile Safari/537.36`, 'chrome', 'chrome', 'phone'],
  [`Mozilla/5.0 (Linux; Android 14; SM-X700) ${CHROME} Safari/537.36`, 'chrome', 'chrome', 'tablet'],
  [`Mozilla/5.0 (Linux; Android 13; CUBOT X18) ${CHROME} Mobile Safari/537.36`, 'chrome', 'chrome', 'phone'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, 'chrome', 'chrome', 'computer'],
  [`${IPHONE} ${WEBKIT} CriOS/141.0.0.0 Mobile/15E148 Safari/604.1`, 'chrome', 'chrome', 'phone'],
  [`${WINDOWS} ${CHROME} Safari/537.36 Edg/141.0.0.0`, 'edge', 'edge', 'computer'],
  [`${WINDOWS} ${CHROME} Safari/537.36 OPR/120.0.0.0`, 'opera', 'opera', 'computer'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox', 'firefox', 'computer'],
  ['Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'firefox', 'firefox', 'phone'],
  [`${IPHONE} ${WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1`, 'safari', 'safari', 'phone'],
  [`${MAC} ${WEBKIT} Version/18.5 Safari/605.1.15`, 'safari', 'safari', 'computer'],
  [`${PIXEL} ${CHROME} SamsungBrowser/28.0 Mobile Safari/537.36`, 'samsung_internet', 'samsung_internet', 'phone'],
  [
    `Mozilla/5.0 (Linux; Android 14; SM-S921B; wv) ${CHROME} Mobile Safari/537.36`,
    'android_webview',
    'android',
    'phone',
  ],
  [`${IPHONE} ${WEBKIT} Mobile/15E148 [FBAN/FBIOS;FBAV/520.0]`, 'social_app', 'social_app', 'phone'],
  [`${MAC} ${WEBKIT}`, 'apple_mail', 'apple_mail', 'computer'],
  [`${IPHONE} ${WEBKIT} Mobile/15E148`, 'apple_mail', 'apple_mail', 'phone'],
  [`${IPAD} ${WEBKIT} Mobile/15E148`, 'apple_mail', 'apple_mail', 'tablet'],
  [
    'Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)',
    'outlook',
    'outlook',
    'computer',
  ],
  ['Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)', 'outlook', 'outlook', 'computer'],
  ['Outlook-iOS/723.4027091.prod.iphone (4.28.0)', 'outlook_mobile', 'outlook_mobile', 'phone'],
  ['MacOutlook/16.89.24090815 (Intelx64 Mac OS X Version 14.6.1)', 'outlook_mac', 'outlook', 'computer'],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0',
    'thunderbird',
    'thunderbird',
    'computer',
  ],
  ['YahooMobileMail/1.0 (Android Mail; 7.40) (o1s;samsung;SM-G991B;14;2176x1080)', 'yahoo_mail', 'yahoo', 'phone'],
  ['Dalvik/2.1.0 (Linux; U; Android 14; SM-S921B Build/UP1A)', 'android_app', 'android', 'phone'],
  // Who fetches for them.
  [
    'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    'google_image_proxy',
    'gmail',
    'computer',
  ],
  ['YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html', 'yahoo_mail_proxy', 'yahoo', null],
  // What nobody reads with.
  [
    `${WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0`,
    'gmail_prefetch',
    null,
    'computer',
  ],
  ['Barracuda Sentinel (EE)', 'barracuda', null, null],
  ['Mozilla/5.0 (compatible; Mimecast URL Protect)', 'mimecast', null, null],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'slack_preview', null, null],
  ['facebookexternalhit/1.1 Facebot Twitterbot/1.0', 'facebook_preview', null, null],
  ['Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5', 'teams_preview', null, 'computer'],
  ['WhatsApp/2.24.20.89 A', 'whatsapp_preview', null, null],
  ['curl/8.9.1', 'curl', null, null],
  ['python-requests/2.32.3', 'python', null, null],
  ['Go-http-client/2.0', 'go', null, null],
  ['Java/17.0.2', 'java', null, null],
  ['node', 'node', null, null],
  [
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36`,
    'headless',
    null,
    'computer',
  ],
  ['Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)', 'monitor', null, null],
  ['Mozilla/5.0 (compatible; SomethingNewBot/1.0; +https://new.example/bot)', 'crawler', null, null],
  ['Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; WOW64; Trident/6.0)', 'internet_explorer', null, 'computer'],
  [
    `${WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626.109 Safari/537.36`,
    'old_browser',
    null,
    'computer',
  ],
  ['Mozilla/5.0', 'bare', null, null],
  ['', 'none', null, null],
  [null, 'none', null, null],
  ['Letterbox 1', 'unknown', null, null],
  ['__proto__', 'unknown', null, null],
])('%s', (user_agent, agent, client, device) => {
  expect(agentOf(user_agent)).toBe(agent)
  expect(agent).toMatch(/^[a-z0-9_]{1,32}$/)
  expect(familyOf(agent).client).toBe(client)
  expect(deviceOf(user_agent)).toBe(device)
})

test('a family that this version does not know is unknown', () => {
  for (const agent of ['', 'constructor', '__proto__', 'of_another_version']) {
    expect(familyOf(agent)).toEqual({ sort: 'unknown', client: null })
  }
})
