import { RateLimiterMemory } from 'rate-limiter-flexible'
import { normalizeOtp, normalizeUsername } from '../../lib/sign-in/credentials'
import { ADA, openShop } from '../support/shop'
import { authenticate } from './support'

const OTP = 'abd1g5'

describe('A typed code', () => {
  test.each([
    ['zero-width spaces before and inside it', '\u200babd\u200b1g5'],
    ['a word joiner after it', 'abd1g5\u2060'],
    ['a soft hyphen inside it', 'abd\u00ad1g5'],
    ['a left-to-right mark before it', '\u200eabd1g5'],
    ['isolates around it', '\u2068abd1g5\u2069'],
    ['full-width letters and digits', 'ａｂｄ１ｇ５'],
    ['a capital first letter', 'Abd1g5'],
    ['capitals', 'ABD1G5'],
    ['a hyphen', 'abd-1g5'],
    ['a dash of a word processor', 'abd–1g5'],
    ['a minus sign', 'abd−1g5'],
    ['spaces and line ends', ' abd 1g5\r\n'],
    ['a no-break space', 'abd\u00a01g5'],
    ['a full stop', 'abd1g5.'],
    ['an ideographic full stop and a space', 'abd1g5。 '],
    ['a control character', 'abd1g5\0'],
  ])('is read with %s', (_what, typed) => {
    expect(normalizeOtp(typed)).toBe(OTP)
  })

  test('keeps letters, digits and full stops inside it', () => {
    expect(normalizeOtp('a.b_ß9')).toBe('a.b_ß9')
  })
})

describe('A typed username', () => {
  test.each([
    ['a left-to-right mark before it', `\u200e${ADA}`],
    ['a right-to-left mark around it', `\u200f${ADA}\u200f`],
    ['an embedding around it', `\u202a${ADA}\u202c`],
    ['a zero-width space after it', `${ADA}\u200b`],
    ['a soft hyphen inside it', 'ada\u00ad@example.com'],
    ['a NUL inside it', 'ada\0@example.com'],
    ['capitals and spaces around it', ' Ada@Example.COM \n'],
  ])('is read with %s', (_what, typed) => {
    expect(normalizeUsername(typed)).toBe(ADA)
  })

  test('is composed, and keeps its capitals if it is no email address', () => {
    expect(normalizeUsername('Buyer-Zoe\u0308')).toBe('Buyer-Zoë')
  })
})

describe('A sign-in form', () => {
  test('signs in with what a shopper pastes', async () => {
    const { submit, simulator } = await openShop({ store: { members: [{ username: 'zoë@example.com' }] } })
    const otp = simulator.issueCode('zoë@example.com').toUpperCase()
    const pasted = {
      username: '\u202aZoe\u0308@Example.com\u202c\0',
      otp: `\u2068${otp.slice(0, 3)}-${otp.slice(3)}.\u2069`,
    }
    await submit(pasted).type('form').expect(200)
    expect(simulator.requests.at(-1)?.body).toMatchObject({ data: { username: 'zoë@example.com' } })
  })

  test('has the fields that the options name', async () => {
    const options = { usernameField: 'email', otpField: 'code', accountField: 'company' }
    const { browser, simulator } = await openShop({ options })
    const fields = () => ({ email: ADA, code: simulator.issueCode(ADA) })
    await browser().post('/login').send(fields()).expect(200)
    await browser()
      .post('/login')
      .send({ ...fields(), company: 'strange' })
      .expect(403)
  })

  test("is read with the app's own functions, which may refuse it", async () => {
    const normalizeUsername = (typed: string) => typed.replace('staff:', '')
    const { submit, simulator } = await openShop({
      options: { normalizeUsername, normalizeOtp: (typed) => typed },
    })
    await submit({ username: `staff:${ADA}`, otp: simulator.issueCode(ADA) }).expect(200)
    await submit({ otp: simulator.issueCode(ADA).toUpperCase() + ' ' }).expect(401)
    await submit({ username: `staff:${ADA}\0`, otp: simulator.issueCode(ADA) }).expect(200)
    await submit({ username: 'staff:', otp: OTP }).expect(400, /missing_credentials/)
  })

  test.each([
    ['normalizeUsername', 42],
    ['normalizeOtp', undefined],
  ])('is an error of the app if %s returns %p', async (option, result) => {
    const { submit, errors, simulator } = await openShop({ options: { [option]: () => result as never } })
    await submit().expect(500)
    expect(errors).toEqual([new TypeError(`PasswordlessOtpStrategy: ${option} must return a string`)])
    expect(simulator.requests).toEqual([])
  })

  const long = 'x'.repeat(100_000)
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['no code', { username: ADA }],
    ['no username', { otp: OTP }],
    ['an empty code', { username: ADA, otp: '' }],
    ['spaces only', { username: '  ', otp: '  ' }],
    ['invisible characters only', { username: '\u200b\0', otp: OTP }],
    ['an array', [ADA, OTP]],
    ['arrays', { username: [ADA], otp: [OTP] }],
    ['an object as the code', { username: ADA, otp: { toString: OTP } }],
    ['a number as the code', { username: ADA, otp: 123456 }],
    ['null as the code', { username: ADA, otp: null }],
    ['a number as the username', { username: 1, otp: OTP }],
    ['a lone surrogate in the username', { username: 'ada\ud800@example.com', otp: OTP }],
    ['a lone surrogate in the code', { username: ADA, otp: 'abd\udc001g5' }],
    ['a username of 255 characters', { username: `${'x'.repeat(243)}@example.com`, otp: OTP }],
    ['a username of 100 kB', { username: long, otp: OTP }],
    ['a code of 100 kB', { username: ADA, otp: long }],
    ['a code of 129 characters', { username: ADA, otp: 'x'.repeat(129) }],
    ['an account of 100 kB', { username: ADA, otp: OTP, account_id: long }],
    ['an array as the account', { username: ADA, otp: OTP, account_id: ['a'] }],
    ['only __proto__', `{"__proto__":{"username":"${ADA}","otp":"${OTP}"}}`],
    ['only a form with __proto__', `__proto__[username]=${ADA}&__proto__[otp]=${OTP}`],
    ['only a form with nested fields', `username[a]=${ADA}&otp[]=${OTP}`],
  ])('with %s is refused with 400 and costs neither an attempt nor a call', async (_what, body) => {
    const limiter = new RateLimiterMemory({ points: 1, duration: 900 })
    const consume = jest.spyOn(limiter, 'consume')
    const { browser, simulator, errors } = await openShop({ options: { limiter } })
    const type = typeof body === 'string' && !body.startsWith('{') ? 'form' : 'json'
    // The fields of the query string do not count.
    const path = `/login?username=${ADA}&otp=${OTP}`
    await browser()
      .post(path)
      .type(type)
      .send(body as object)
      .expect(400, /missing_credentials/)
    expect([simulator.requests, errors, consume.mock.calls]).toEqual([[], [], []])
  })

  test('may have a username of 254 characters', async () => {
    const username = `${'x'.repeat(242)}@example.com`
    const { signIn } = await openShop({ store: { members: [{ username }] } })
    expect((await signIn({ username })).user.username).toBe(username)
  })

  test('without a body parser is refused with 400', async () => {
    const { strategy } = await openShop()
    for (const body of [undefined, null, 'username=ada', 42, []]) {
      const { fail } = await authenticate(strategy, { body })
      expect(fail).toMatchObject([{ code: 'missing_credentials' }, 400])
    }
  })
})
