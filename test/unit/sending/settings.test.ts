import { expect, test } from 'vitest'
import { parseSendSettings, SEND_SETTINGS } from '../../../src/sending/settings.ts'

test('what is not given keeps its default', () => {
  expect(parseSendSettings('')).toEqual(SEND_SETTINGS)
  expect(parseSendSettings('{"group_size": 5}')).toEqual({ ...SEND_SETTINGS, group_size: 5 })
})

test.each([
  ['{"group": 5}', /unknown field: group/],
  ['{"group_size": 0}', /group_size must be a number over 0/],
  ['{"lease_seconds": "1"}', /lease_seconds must be a number/],
  ['{"lease_seconds": 60}', /group_seconds must be below lease_seconds/],
  ['[]x', /JSON/],
  ['null', /must be a JSON object/],
])('%s is refused', (text, message) => {
  expect(() => parseSendSettings(text)).toThrow(message)
})
