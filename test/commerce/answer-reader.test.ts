import { AnswerReader } from '../../lib/commerce/answer-reader'
import { Operation } from '../../lib/commerce/operation'

const MIB = 1024 * 1024
let operation: Operation

beforeEach(() => {
  operation = new Operation(2000)
})

afterEach(() => {
  operation.end()
})

const open = () => new AnswerReader(operation, () => 'GET /path')
const headers = (...texts: string[]) => texts.map((text) => Buffer.from(text))

test('an answer is its status, its Retry-After and its text, of however many pieces', async () => {
  const reader = open()
  reader.onRequestStart({ abort: jest.fn() })
  reader.onResponseStart(undefined, 429, { 'retry-after': '7' })
  for (const piece of ['eins ', 'zw\u00f6', 'lf']) reader.onResponseData(undefined, Buffer.from(piece))
  reader.onResponseEnd()
  expect(await reader.answer).toEqual({ status: 429, retryAfter: '7', text: 'eins zw\u00f6lf' })
})

test('an answer without a body has an empty text', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 204, {})
  reader.onResponseEnd()
  expect(await reader.answer).toEqual({ status: 204, retryAfter: undefined, text: '' })
})

test('what is announced before an answer is not taken for it', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 103, { 'retry-after': '1' })
  expect(() => reader.onResponseError(undefined, new Error('reset'))).not.toThrow()
  await expect(reader.answer).rejects.toThrow('reset')
})

test('two Retry-Afters are none', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 429, { 'retry-after': ['7', '8'] })
  reader.onResponseEnd()
  expect(await reader.answer).toMatchObject({ retryAfter: undefined })
})

test('an answer of a mebibyte is taken, and no byte more', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 200, {})
  reader.onResponseData(undefined, Buffer.alloc(MIB - 1, 'a'))
  reader.onResponseData(undefined, Buffer.alloc(1, 'b'))
  reader.onResponseEnd()
  expect((await reader.answer).text).toHaveLength(MIB)

  const abort = jest.fn()
  const larger = open()
  larger.onRequestStart({ abort })
  larger.onResponseStart(undefined, 200, {})
  larger.onResponseData(undefined, Buffer.alloc(MIB))
  expect(abort).not.toHaveBeenCalled()
  larger.onResponseData(undefined, Buffer.alloc(1))
  expect(abort).toHaveBeenCalledTimes(1)
  await expect(larger.answer).rejects.toMatchObject({
    code: 'bad_answer',
    upstreamStatus: 200,
    message: `Elastic Path's answer to GET /path is larger than ${MIB} bytes`,
  })
})

test('one that is too large before anybody could stop it is a bad answer all the same', async () => {
  const reader = open()
  reader.onResponseStart(undefined, 200, {})
  reader.onResponseData(undefined, Buffer.alloc(MIB + 1))
  await expect(reader.answer).rejects.toMatchObject({ code: 'bad_answer' })
})

test('an answer that breaks off is a bad answer, and one that never began the error itself', async () => {
  const begun = open()
  begun.onResponseStart(undefined, 200, {})
  begun.onResponseError(undefined, new Error('reset'))
  await expect(begun.answer).rejects.toMatchObject({
    code: 'bad_answer',
    upstreamStatus: 200,
    message: "Elastic Path's answer to GET /path broke off",
  })
  const failed = open()
  const error = new Error('reset')
  failed.onResponseError(undefined, error)
  await expect(failed.answer).rejects.toBe(error)
})

test("the operation's end stops it, also where it only then gets its connection", async () => {
  const [early, late] = [open(), open()]
  const [abortEarly, abortLate] = [jest.fn(), jest.fn()]
  early.onRequestStart({ abort: abortEarly })
  expect(abortEarly).not.toHaveBeenCalled()
  operation.end()
  late.onRequestStart({ abort: abortLate })
  for (const abort of [abortEarly, abortLate]) {
    expect(abort.mock.calls).toEqual([[expect.objectContaining({ code: 'request_aborted' })]])
  }
  for (const { answer } of [early, late])
    await expect(answer).rejects.toMatchObject({ code: 'request_aborted' })
})

/* eslint-disable @typescript-eslint/no-deprecated -- the handler that undici 6 calls */
describe("a dispatcher of undici 6, as Node's own is", () => {
  test.each<[string, string[], string | undefined]>([
    ['first', ['Retry-After', '7', 'Date', 'today'], '7'],
    ['last', ['Date', 'today', 'retry-after', '7'], '7'],
    ['only as a value', ['X-Header', 'retry-after', 'retry', 'after'], undefined],
    ['not at all', ['Date', 'today'], undefined],
  ])('has Retry-After %s', async (_where, texts, retryAfter) => {
    const reader = open()
    reader.onConnect(jest.fn())
    expect(reader.onHeaders(429, headers(...texts))).toBe(true)
    expect(reader.onData(Buffer.from('{}'))).toBe(true)
    reader.onComplete()
    expect(await reader.answer).toEqual({ status: 429, retryAfter, text: '{}' })
  })

  test('is stopped by what it handed over', () => {
    const abort = jest.fn()
    const reader = open()
    reader.answer.catch(() => undefined)
    reader.onConnect(abort)
    operation.end()
    expect(abort).toHaveBeenCalledTimes(1)
  })

  test('tells of its error', async () => {
    const reader = open()
    reader.onError(new Error('reset'))
    await expect(reader.answer).rejects.toThrow('reset')
  })
})
