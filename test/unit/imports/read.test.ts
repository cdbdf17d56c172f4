import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DELIMITERS, ENCODINGS, type Encoding } from '../../../src/imports/options.ts'
import { cellsOf, encode, readFile } from './csv-file.ts'

const read = (text: string, options: Parameters<typeof readFile>[1] = {}) => readFile(encode(text, 'utf-8'), options)

const MARKS: Record<Encoding, string> = {
  'utf-8': '\ufeff',
  'utf-16le': '\ufeff',
  'utf-16be': '\ufeff',
  'windows-1252': '',
}

describe('any table of cells', () => {
  const nasty = fc.constantFrom('"', '""', ',', ';', '\t', '\n', '\r', '\r\n', ' ', "'", '=1+1', 'é', '€', 'a')
  const plain = fc.string({ unit: fc.oneof(nasty, fc.constantFrom('ab', '1', 'ü')), maxLength: 8 })
  const unicode = fc.string({
    unit: fc.oneof(nasty, fc.constantFrom('\u{1f600}', '日本', 'ſ', '\ufffd')),
    maxLength: 8,
  })

  const file = fc
    .record({
      encoding: fc.constantFrom(...ENCODINGS),
      mark: fc.boolean(),
      delimiter: fc.constantFrom(...DELIMITERS),
      line_break: fc.constantFrom('\n', '\r\n', '\r'),
      columns: fc.integer({ min: 1, max: 5 }),
      last_break: fc.boolean(),
      /** Which cells are quoted though they need not be. */
      quoted: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      blank: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
    })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        rows: fc.array(
          fc.array(shape.encoding === 'windows-1252' ? plain : unicode, {
            minLength: shape.columns,
            maxLength: shape.columns,
          }),
          { maxLength: 12 },
        ),
        cuts: fc.array(fc.nat({ max: 80 }), { maxLength: 6 }),
        chunk: fc.integer({ min: 1, max: 60 }),
      }),
    )

  test('written in any way and cut anywhere reads back the same, with lines and places', async () => {
    await fc.assert(
      fc.asyncProperty(file, async ({ shape, rows, cuts, chunk }) => {
        const { encoding, delimiter, line_break, columns, quoted, blank } = shape
        let n = 0
        const cell = (text: string) =>
          /["\r\n]/.test(text) || text.includes(delimiter) || quoted[n++ % quoted.length]
            ? `"${text.replaceAll('"', '""')}"`
            : text
        const mark = shape.mark ? MARKS[encoding] : ''
        let text = `${mark}${Array.from({ length: columns }, (_, i) => cell(`column ${i}`)).join(delimiter)}${line_break}`
        let line = 2
        const expected: { offset: number; line: number; cells: string[]; text: string; end: number }[] = []
        rows.forEach((cells, i) => {
          for (const _ of blank.filter((at) => at === i)) {
            text += line_break
            line++
          }
          const record = cells.map(cell).join(delimiter)
          const offset = encode(text, encoding).length
          text += record
          const breaks = record.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n').length
          if (i < rows.length - 1 || shape.last_break) text += line_break
          // A lone blank and no content at all are no records.
          const empty = cells.every((one) => one === '') || (columns === 1 && /^ [ \t]*$/.test(record))
          if (!empty) expected.push({ offset, line, cells, text: record, end: encode(text, encoding).length })
          line += breaks
        })
        const bytes = encode(text, encoding)
        const wanted = { delimiter, ...(mark === '' ? { encoding } : {}) }
        const { records, pieces, state } = await readFile(bytes, { wanted, cuts, chunk })
        expect(state).toMatchObject({ encoding, delimiter })
        expect(records).toEqual(expected.map(({ end: _, ...record }) => ({ ...record, problem: null })))
        expect(pieces.at(-1)?.offset).toBe(bytes.length)
        let seen = 0
        for (const piece of pieces) {
          seen += piece.records.length
          // The place is behind the records that were given, and not behind the next one.
          expect(piece.offset).toBeGreaterThanOrEqual(expected[seen - 1]?.end ?? 0)
          const next = expected[seen]
          if (next) expect(piece.offset).toBeLessThan(next.end)
          if (next) expect(piece.line).toBeLessThanOrEqual(next.line)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('any bytes at all', () => {
  const soup = fc.array(
    fc.constantFrom(...'ab",;\r\n "\n'.split('').map((char) => char.charCodeAt(0)), 0, 0xe9, 0xc3, 0xa9, 0xff),
    {
      maxLength: 60,
    },
  )
  const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 6 })

  test.each(['utf-8', 'windows-1252'] as const)(
    'read as %s give the same records however they are cut',
    async (encoding) => {
      await fc.assert(
        fc.asyncProperty(soup, cuts, fc.integer({ min: 1, max: 9 }), async (bytes, cuts, chunk) => {
          const file = Uint8Array.of(...encode('a,b\n', 'utf-8'), ...bytes)
          const wanted = { encoding, delimiter: ',' } as const
          const whole = await readFile(file, { wanted })
          const cut = await readFile(file, { wanted, cuts, chunk })
          expect(cut.records).toEqual(whole.records)
          for (const { pieces } of [whole, cut]) expect(pieces.at(-1)?.offset).toBe(file.length)
        }),
        { numRuns: 600 },
      )
    },
  )

  test('each record stands in the line that it says, and nothing between them holds anything', async () => {
    await fc.assert(
      fc.asyncProperty(soup, async (bytes) => {
        const file = Uint8Array.of(...encode('a,b\n', 'utf-8'), ...bytes)
        const wanted = { encoding: 'windows-1252', delimiter: ',' } as const
        const { records, pieces } = await readFile(file, { wanted })
        const text = new TextDecoder('windows-1252').decode(file)
        const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((found) => found.index + found[0].length)]
        expect(pieces.at(-1)?.line).toBe(starts.length)
        let end = starts[1] ?? 0
        for (const record of records) {
          const start = starts[record.line - 1] ?? -1
          expect(text.slice(end, start)).toMatch(/^[\r\n ",]*$/)
          expect(text.startsWith(record.text, start)).toBe(true)
          end = start + record.text.length
        }
        expect(text.slice(end)).toMatch(/^[\r\n ",]*$/)
      }),
      { numRuns: 600 },
    )
  })
})

const problems = (file: Awaited<ReturnType<typeof readFile>>) =>
  file.records.flatMap(({ line, problem }) => (problem === null ? [] : [`${line}: ${problem}`]))

describe('records that cannot be read end nothing', () => {
  test('cells too many or too few; empty ones beyond the header are none', async () => {
    const file = await read('a,b\n1\n1,2,,\n1,2,,x\n1,2\n')
    expect(cellsOf(file)).toEqual([
      'has 1 cell, the header names 2 columns',
      ['1', '2'],
      'has 4 cells, the header names 2 columns',
      ['1', '2'],
    ])
    expect(file.records[2]?.text).toBe('1,2,,x')
  })

  test('10,000 columns', async () => {
    const file = await read(`a,b\n${'x,'.repeat(9_999)}x\n1,2\n`)
    expect(cellsOf(file)).toEqual(['has 10000 cells, the header names 2 columns', ['1', '2']])
  })

  test('lines of nothing, blanks or delimiters are no records', async () => {
    expect(cellsOf(await read('\n\r\na;b\n\n   \n;;\n1;2\n"";\n'))).toEqual([['1', '2']])
  })

  test('a quote that is never closed takes its own line and no other, wherever the file is cut', async () => {
    const text = 'a,b\n1,"x\n2,y\n"3\n\n",z\n4,w\n5,"v'
    const whole = await read(text)
    expect(cellsOf(whole)).toEqual([
      'has text after a closing quote in the cell that begins in line 2; quotes inside a quoted cell are doubled',
      ['2', 'y'],
      ['3\n\n', 'z'],
      ['4', 'w'],
      'opens a quote in line 8 that is never closed',
    ])
    for (let cut = 0; cut <= text.length; cut++) {
      const parts = await read(text, { wanted: { encoding: 'utf-8' }, cuts: [cut, 9] })
      expect(parts.records).toEqual(whole.records)
    }
  })

  test('nor does it swallow the rest of a large file', async () => {
    const rest = Array.from({ length: 100_000 }, (_, i) => `row ${i},value ${i}\n`).join('')
    expect(problems(await read(`a,b\n"two\nthree",four and "five\n${rest}`))).toEqual([])
    const open = await read(`a,b\n1,"x"\n"two\nlines","never\n${rest}`)
    expect(problems(open)).toEqual(['3: opens a quote in line 4 that is never closed'])
    expect(open.records).toHaveLength(100_002)
    expect(open.records[1]?.text).toBe('"two\nlines","never')
    expect(open.records[2]).toMatchObject({ line: 5, cells: ['row 0', 'value 0'] })
  })

  test('a cell of a whole megabyte, and one of twenty', async () => {
    const limit = 1_000_000
    const fits = 'x'.repeat(limit - 4)
    for (const length of [limit - 2, limit * 20]) {
      for (const [open, close] of [
        ['', ''],
        ['"', '"'],
      ]) {
        const text = `a,b\n1,${fits}\n2,${open}${'y'.repeat(length)}${close}\n3,z\n`
        for (const cuts of [[], [2_500_000, 1_000_001, 1_500_000]]) {
          const file = await read(text, { cuts, chunk: 300_000 })
          expect(file.records.map(({ line, problem }) => [line, problem])).toEqual([
            [2, null],
            [3, 'is longer than 1 MB'],
            [4, null],
          ])
          expect(file.records[1]?.text).toHaveLength(10_000)
          expect(file.records[2]?.cells).toEqual(['3', 'z'])
        }
      }
    }
  })

  test('a line that is too long after a cell of several lines', async () => {
    const { records } = await read(`a,b\n"1\n2","3\r\n4",${'y'.repeat(2_000_000)}\nx,z\n`)
    expect(records.map(({ line, problem }) => [line, problem])).toEqual([
      [2, 'is longer than 1 MB'],
      [5, null],
    ])
  })

  test('a last row of exactly a megabyte, and a part that ends with it', async () => {
    const text = `a,b\n1,${'x'.repeat(999_998)}`
    for (const cuts of [[], [text.length, 0], [text.length - 1]]) {
      const { records } = await read(text, { cuts })
      expect(records.map(({ problem }) => problem)).toEqual([null])
    }
  })

  test('NULs and bytes of another encoding', async () => {
    const latin = Uint8Array.of(...encode('a,b\n1,\0\n2,é\n3,', 'utf-8'), 0xe9, ...encode('\n4,€\n', 'utf-8'))
    expect(cellsOf(await readFile(latin))).toEqual([
      'contains a NUL character',
      ['2', 'é'],
      'has bytes that are not UTF-8',
      ['4', '€'],
    ])
    const lone = Uint8Array.of(...encode('a,b\n1,', 'utf-16le'), 0x00, 0xd8, ...encode('\n2,x\n', 'utf-16le'))
    expect(cellsOf(await readFile(lone))).toEqual(['has bytes that are not UTF-16 LE', ['2', 'x']])
  })
})

describe('the beginning', () => {
  const table = 'Adresse;Größe\nä@example.com;1,5\nö@example.com;2,5\n'
  const rows = [
    ['ä@example.com', '1,5'],
    ['ö@example.com', '2,5'],
  ]

  test.each(ENCODINGS)('%s is recognised without a mark, and read when told', async (encoding) => {
    const found = await readFile(encode(table, encoding))
    expect(found.state).toMatchObject({ encoding, delimiter: ';', header: ['Adresse', 'Größe'] })
    expect(cellsOf(found)).toEqual(rows)
    expect(cellsOf(await readFile(encode(table, encoding), { wanted: { encoding } }))).toEqual(rows)
  })

  test.each(ENCODINGS)('%s stays what it is over a file that comes in many pieces', async (encoding) => {
    const expected = Array.from({ length: 20_000 }, (_, i) => [`é${i}`, `"ü",\n${'x'.repeat(i % 30)}`])
    const rows = expected.map(([one, other]) => `${one},"${other?.replaceAll('"', '""')}"\r\n`)
    const file = encode(`a,b\r\n${rows.join('')}`, encoding)
    const cuts = [300_001, 70_003, 99_999, 131_071]
    expect(cellsOf(await readFile(file, { cuts, chunk: 7_001 }))).toEqual(expected)
  })

  test('a broken row does not make UTF-8 another encoding', async () => {
    const bytes = Uint8Array.of(...encode('a,b\nä,ö\n€,ß\nx,', 'utf-8'), 0xe4, ...encode('\n', 'utf-8'))
    expect((await readFile(bytes)).state.encoding).toBe('utf-8')
  })

  test.each([
    ['sep=;\r\na,a;b\r\n1,1;2\r\n', ';'],
    ['\ufeffsep=\t\na\tb\n1\t2\n', '\t'],
    ['"a;b;c",b\n1;1,2\n', ','],
    ['a\tb,c\td\n1\t2\t3\n', '\t'],
    ['one\n1\n', ','],
  ])('the delimiter of %j', async (text, delimiter) => {
    const { state, records } = await read(text)
    expect(state.delimiter).toBe(delimiter)
    expect(records).toHaveLength(1)
    expect(records[0]?.problem).toBeNull()
  })

  test('a delimiter that was told counts', async () => {
    expect((await read('a,b;c\n1;2\n', { wanted: { delimiter: ';' } })).state.header).toEqual(['a,b', 'c'])
  })

  test('a short part says nothing about the encoding of the rest', async () => {
    const bytes = encode(table, 'windows-1252')
    const { state, pieces } = await readFile(bytes, { cuts: [20] })
    expect(state.encoding).toBe('windows-1252')
    expect(pieces).toHaveLength(1)
  })

  test.each<[string, Uint8Array, string, { encoding?: Encoding }?]>([
    ['nothing', new Uint8Array(), 'is empty'],
    ['line breaks alone', encode('\r\n\n', 'utf-8'), 'is empty'],
    ['a mark alone', encode('\ufeff', 'utf-16be'), 'is empty'],
    ['10,000 columns', encode(`${'a,'.repeat(9_999)}a\n`, 'utf-8'), 'names 10000 columns; at most 1000'],
    ['a header of 2 MB', encode(`a,${'b'.repeat(2_000_000)}\n`, 'utf-8'), 'longer than 1 MB'],
    ['a header with an open quote', encode('\na,"b\n1,2\n', 'utf-8'), 'The quotes in line 2'],
    ['a header with text behind a quote', encode('a,"b"c\n1,2\n', 'utf-8'), 'The quotes in line 1'],
    ['a header with NULs', encode('email,na\0me\n', 'utf-8'), 'not UTF-8 text'],
    ['the wrong encoding', Uint8Array.of(0x61, 0xe9, 0x0a), 'not UTF-8 text', { encoding: 'utf-8' }],
    ['a mark of another one', encode('\ufeffa,b\n', 'utf-16le'), 'mark of UTF-16 LE', { encoding: 'windows-1252' }],
    ['a ZIP archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), 'a ZIP archive or an Excel workbook'],
    ['a gzip archive', Uint8Array.of(0x1f, 0x8b, 8, 0), 'a gzip archive'],
  ])('%s is refused with its reason', async (_, bytes, message, wanted = {}) => {
    await expect(readFile(bytes, { wanted })).rejects.toThrow(message)
  })

  test('a thousand columns are read', async () => {
    const row = Array.from({ length: 1_000 }, (_, i) => `c${i}`)
    expect(cellsOf(await read(`${row.join(';')}\n${row.join(';')}\n`))).toEqual([row])
  })
})

test('what a spreadsheet would run is data', async () => {
  expect(cellsOf(await read('a,b\n=1+1,"=HYPERLINK(""x"")"\n@SUM(A1),-1\n'))).toEqual([
    ['=1+1', '=HYPERLINK("x")'],
    ['@SUM(A1)', '-1'],
  ])
})

test('a broken connection gives what came whole and then its error', async () => {
  const { readPart } = await import('../../../src/imports/read.ts')
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encode(`a,b\n${'1,2\n'.repeat(100_000)}`, 'utf-8'))
    },
    pull(controller) {
      controller.error(new Error('connection lost'))
    },
  })
  let rows = 0
  const reading = async () => {
    const place = { offset: 0, line: 1 }
    for await (const piece of readPart(body, place, { encoding: null, delimiter: null }, null, true)) {
      rows += piece.records.length
    }
  }
  await expect(reading()).rejects.toThrow('connection lost')
  expect(rows).toBeGreaterThan(50_000)
})
