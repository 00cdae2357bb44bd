import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { AnswerReader, readDate } from '../../lib/commerce/answer-reader'
import { Context } from '../../lib/context'

const MIB = 1024 * 1024
let context: Context

beforeEach(() => {
  context = new Context(2000)
})

afterEach(() => {
  context.end()
})

const open = () => new AnswerReader(context, () => 'GET /path')
const controller = (abort = jest.fn()) => ({ abort, pause: jest.fn(), resume: jest.fn() })
const headers = (...texts: string[]) => texts.map((text) => Buffer.from(text))

test('a response has a status, a Retry-After and the text of all its chunks', async () => {
  const reader = open()
  reader.onRequestStart(controller())
  reader.onResponseStart(undefined, 429, { 'retry-after': '7' })
  for (const piece of ['eins ', 'zw\u00f6', 'lf']) reader.onResponseData(undefined, Buffer.from(piece))
  reader.onResponseEnd()
  expect(await reader.result).toEqual({
    status: 429,
    retryAfter: '7',
    date: undefined,
    text: 'eins zw\u00f6lf',
  })
})

test('a response without a body has an empty text', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 204, {})
  reader.onResponseEnd()
  expect(await reader.result).toEqual({ status: 204, retryAfter: undefined, date: undefined, text: '' })
})

test('an informational response (1xx) is ignored', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 103, { 'retry-after': '1' })
  expect(() => reader.onResponseError(undefined, new Error('reset'))).not.toThrow()
  await expect(reader.result).rejects.toThrow('reset')
})

test('a request that is sent after the end of its context is stopped', async () => {
  context.end()
  const reader = open()
  const abort = jest.fn()
  reader.onRequestStart(controller(abort))
  expect(abort).toHaveBeenCalledWith(context.ended)
  await expect(reader.result).rejects.toBe(context.ended)
})

test('a request whose dispatcher cannot stop it ends with its context', async () => {
  const reader = open()
  const abort = jest.fn(() => {
    throw new Error('cannot be stopped')
  })
  reader.onRequestStart(controller(abort))
  context.end()
  expect(abort).toHaveBeenCalledTimes(1)
  await expect(reader.result).rejects.toBe(context.ended)
})

describe('a compressed response', () => {
  const large = Buffer.alloc(MIB, 'a')

  async function receive(encoding: string, body: Buffer): Promise<string> {
    const reader = open()
    reader.onResponseStart(undefined, 200, { 'content-encoding': encoding })
    reader.onResponseData(undefined, body)
    reader.onResponseEnd()
    return (await reader.result).text
  }

  test.each<[string, (body: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
    ['identity', (body) => body],
  ])('of %s is decompressed, up to a mebibyte', async (encoding, compress) => {
    expect(await receive(encoding, compress(Buffer.from('zw\u00f6lf')))).toBe('zw\u00f6lf')
    expect(await receive(encoding, compress(large))).toBe(String(large))
    expect(await receive(encoding, Buffer.alloc(0))).toBe('')
  })

  test.each<[string, string, Buffer]>([
    ['is larger than a mebibyte, with gzip', 'gzip', gzipSync(Buffer.alloc(MIB + 1))],
    ['is larger than a mebibyte, with brotli', 'br', brotliCompressSync(Buffer.alloc(MIB + 1))],
    ['does not match its encoding', 'gzip', Buffer.from('{}')],
    ['is cut off', 'gzip', gzipSync(large).subarray(0, 20)],
    ['has an unknown coding', 'zstd', Buffer.from('{}')],
  ])('that %s is rejected with bad_answer', async (_what, encoding, body) => {
    await expect(receive(encoding, body)).rejects.toMatchObject({
      code: 'bad_answer',
      message: "Elastic Path's response to GET /path could not be decompressed.",
    })
  })
})

test.each([
  ['Fri, 27 Nov 2026 02:15:11 GMT', Date.UTC(2026, 10, 27, 2, 15, 11)],
  ['yesterday at 7', undefined],
  ['today GMT', undefined],
])('the header Date %p is parsed as %p', async (date, expected) => {
  const reader = open()
  reader.onResponseStart(undefined, 200, { date })
  reader.onResponseEnd()
  expect(readDate((await reader.result).date)).toBe(expected)
})

test('two headers Retry-After are ignored', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 429, { 'retry-after': ['7', '8'] })
  reader.onResponseEnd()
  expect(await reader.result).toMatchObject({ retryAfter: undefined })
})

test('a response of a mebibyte is accepted, and a larger one is rejected with bad_answer', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 200, {})
  reader.onResponseData(undefined, Buffer.alloc(MIB - 1, 'a'))
  reader.onResponseData(undefined, Buffer.alloc(1, 'b'))
  reader.onResponseEnd()
  expect((await reader.result).text).toHaveLength(MIB)

  const abort = jest.fn()
  const larger = open()
  larger.onRequestStart(controller(abort))
  larger.onResponseStart(undefined, 200, {})
  larger.onResponseData(undefined, Buffer.alloc(MIB))
  expect(abort).not.toHaveBeenCalled()
  larger.onResponseData(undefined, Buffer.alloc(1))
  expect(abort).toHaveBeenCalledTimes(1)
  await expect(larger.result).rejects.toMatchObject({
    code: 'bad_answer',
    upstreamStatus: 200,
    message: `Elastic Path's response to GET /path is larger than ${MIB} bytes.`,
  })
})

test('a response that is too large is rejected with bad_answer, even if it cannot be aborted', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 200, {})
  reader.onResponseData(undefined, Buffer.alloc(MIB + 1))
  await expect(reader.result).rejects.toMatchObject({ code: 'bad_answer' })
})

test('a response that is cut off is rejected with bad_answer, and a missing one with the error itself', async () => {
  const begun = open()
  begun.onResponseStart(undefined, 200, {})
  begun.onResponseError(undefined, new Error('reset'))
  await expect(begun.result).rejects.toMatchObject({
    code: 'bad_answer',
    upstreamStatus: 200,
    message: "Elastic Path's response to GET /path was cut off.",
  })
  const failed = open()
  const error = new Error('reset')
  failed.onResponseError(undefined, error)
  await expect(failed.result).rejects.toBe(error)
})

test('the end of the context aborts the request, even if it gets its connection later', async () => {
  const [early, late] = [open(), open()]
  const [abortEarly, abortLate] = [jest.fn(), jest.fn()]
  early.onRequestStart(controller(abortEarly))
  expect(abortEarly).not.toHaveBeenCalled()
  context.end()
  late.onRequestStart(controller(abortLate))
  for (const abort of [abortEarly, abortLate]) {
    expect(abort.mock.calls).toEqual([[expect.objectContaining({ code: 'request_aborted' })]])
  }
  for (const { result } of [early, late])
    await expect(result).rejects.toMatchObject({ code: 'request_aborted' })
})

/* eslint-disable @typescript-eslint/no-deprecated -- the handler that undici 6 calls */
describe("a dispatcher of undici 6, as Node's own is", () => {
  test.each<[string, string[], string | undefined]>([
    ['first', ['Retry-After', '7', 'X-Date', 'today'], '7'],
    ['last', ['Date', 'today', 'retry-after', '7'], '7'],
    ['only as a value', ['X-Header', 'retry-after', 'retry', 'after'], undefined],
    ['not at all', ['Date', 'today'], undefined],
    ['followed by a name without a value', ['Retry-After', '7', 'X-Date'], '7'],
  ])('reads the header Retry-After if it is %s', async (_position, texts, retryAfter) => {
    const reader = open()
    reader.onConnect(jest.fn())
    expect(reader.onHeaders(429, headers(...texts), jest.fn(), 'Any')).toBe(true)
    expect(reader.onData(Buffer.from('{}'))).toBe(true)
    reader.onComplete()
    expect(await reader.result).toMatchObject({ status: 429, retryAfter, text: '{}' })
  })

  test('ignores a repeated header Retry-After, and decompresses the body', async () => {
    const reader = open()
    reader.onConnect(jest.fn())
    const texts = ['Retry-After', '7', 'Retry-After', '7', 'Retry-After', '7', 'Content-Encoding', 'gzip']
    reader.onHeaders(429, headers(...texts), jest.fn(), 'Any')
    reader.onData(gzipSync('{}'))
    reader.onComplete()
    expect(await reader.result).toMatchObject({ retryAfter: undefined, text: '{}' })
  })

  test('is aborted by the function that it passes to onConnect', () => {
    const abort = jest.fn()
    const reader = open()
    reader.result.catch(() => undefined)
    reader.onConnect(abort)
    context.end()
    expect(abort).toHaveBeenCalledTimes(1)
  })

  test('reports its error', async () => {
    const reader = open()
    reader.onError(new Error('reset'))
    await expect(reader.result).rejects.toThrow('reset')
  })
})
