import { ADA, holdDate, nextMessage, openJourney, passSeconds, turn, until } from '../support/journey'

describe('requestOtp', () => {
  test('hands the normalised username on as req.otpRequest', async () => {
    const { browser } = await openJourney()

    const reply = await browser().post('/code').send({ username: ' Ada@Example.com ' })

    expect([reply.status, reply.body]).toEqual([202, { username: ADA }])
  })

  test('makes a code that signs the shopper in', async () => {
    const { simulator, browser } = await openJourney()
    const agent = browser()

    await agent.post('/code').send({ username: ADA })
    const reply = await agent.post('/login').send({ username: ADA, otp: simulator.lastCode(ADA) })

    expect(reply.status).toBe(200)
  })

  test.each([202, 400, 404] as const)(
    'does not tell an unknown username, which Commerce answers with %d',
    async (unknownUsernameStatus) => {
      const { browser } = await openJourney({
        store: { members: [{ username: 'known' }], unknownUsernameStatus },
      })

      const known = await browser().post('/code').send({ username: 'known' })
      const unknown = await browser().post('/code').send({ username: 'unknown' })

      expect([known.status, known.body]).toEqual([202, { username: 'known' }])
      expect([unknown.status, unknown.body]).toEqual([202, { username: 'unknown' }])
      expect(Object.keys(unknown.headers)).toEqual(Object.keys(known.headers))
    },
  )

  test.each([
    ['no body', undefined],
    ['no username', {}],
    ['an empty one', { username: '' }],
    ['blanks', { username: '  ' }],
    ['null', { username: null }],
    ['a number', { username: 7 }],
    ['an array', { username: [ADA] }],
    ['an object', { username: { $gt: '' } }],
    ['one of 2000 characters', { username: 'a'.repeat(2000) }],
    ['an array as the body', [ADA]],
  ])('answers 400 to %s, and does not ask Commerce', async (_name, body) => {
    const { simulator, browser } = await openJourney()

    const reply = await browser().post('/code').send(body)

    expect([reply.status, reply.body]).toMatchObject([400, { code: 'missing_credentials' }])
    expect(simulator.requests).toEqual([])
  })

  test('goes on a whole number of quarters of a second after it was asked', async () => {
    const { simulator, strategy } = await openJourney()
    await strategy.ready()
    jest.useFakeTimers({
      doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
    })
    jest.advanceTimersByTime(30)
    simulator.fault('otp_request', { delay: 100 })
    const next = jest.fn()
    strategy.requestOtp()({ body: { username: ADA } } as never, {} as never, next)
    await until(() => simulator.count('otp_request') > 0)

    const asked = nextMessage()
    jest.advanceTimersByTime(100)
    await asked
    await turn()
    jest.advanceTimersByTime(149)
    await turn()
    expect(next).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    await turn()
    expect(next.mock.calls).toEqual([[]])
  })

  test('takes no username from __proto__', async () => {
    const { browser } = await openJourney()

    const reply = await browser().post('/code').type('json').send(`{"__proto__":{"username":"${ADA}"}}`)

    expect(reply.status).toBe(400)
  })

  test('takes no username from the query string', async () => {
    const { browser } = await openJourney()

    const reply = await browser().post(`/code?username=${ADA}`).send({})

    expect(reply.status).toBe(400)
  })

  test('two taps ask Commerce once', async () => {
    const { simulator, browser } = await openJourney()
    const agent = browser()

    const replies = await Promise.all([1, 2].map(() => agent.post('/code').send({ username: ADA })))

    expect(replies.map(({ status }) => status)).toEqual([202, 202])
    expect(simulator.count('otp_request')).toBe(1)
  })

  test('a tap in a second tab, some seconds later and in capitals, asks Commerce no more', async () => {
    holdDate()
    const { simulator, browser } = await openJourney()

    await browser().post('/code').send({ username: ADA }).expect(202)
    passSeconds(29)
    await browser().post('/code').send({ username: ADA.toUpperCase() }).expect(202)

    expect(simulator.count('otp_request')).toBe(1)
  })

  test('after half a minute a new code is asked for', async () => {
    holdDate()
    const { simulator, browser } = await openJourney()

    await browser().post('/code').send({ username: ADA }).expect(202)
    passSeconds(30)
    await browser().post('/code').send({ username: ADA }).expect(202)

    expect(simulator.count('otp_request')).toBe(2)
  })

  test('a request that failed is asked again', async () => {
    const { simulator, browser } = await openJourney()
    simulator.fault('otp_request', { status: 500 })

    await browser().post('/code').send({ username: ADA }).expect(502)
    await browser().post('/code').send({ username: ADA }).expect(202)

    expect(simulator.mailbox).toHaveLength(1)
  })

  test('two taps that fail fail both', async () => {
    const { simulator, browser } = await openJourney()
    simulator.fault('otp_request', { status: 500 })

    const replies = await Promise.all([1, 2].map(() => browser().post('/code').send({ username: ADA })))

    expect(replies.map(({ status }) => status)).toEqual([502, 502])
    expect(simulator.count('otp_request')).toBe(1)
  })

  test('a new code right after a sign-in is asked for', async () => {
    const { simulator, browser } = await openJourney()
    await browser().post('/code').send({ username: ADA })
    await browser()
      .post('/login')
      .send({ username: ADA, otp: simulator.lastCode(ADA) })
      .expect(200)

    await browser().post('/code').send({ username: ADA }).expect(202)

    expect(simulator.mailbox).toHaveLength(2)
  })

  test('the sixth code within a quarter of an hour is refused until it is over', async () => {
    holdDate()
    const { simulator, browser } = await openJourney()
    for (let i = 0; i < 5; i++) {
      await browser().post('/code').send({ username: ADA }).expect(202)
      passSeconds(60)
    }

    const sixth = await browser().post('/code').send({ username: ADA })

    expect([sixth.status, sixth.body]).toMatchObject([429, { code: 'too_many_attempts', retryAfter: 600 }])
    expect(sixth.headers['retry-after']).toBe('600')
    expect(simulator.count('otp_request')).toBe(5)
  })

  test('a shopper who was refused gets a code when the quarter of an hour is over', async () => {
    holdDate()
    const { browser } = await openJourney()
    for (let i = 0; i < 5; i++) {
      await browser().post('/code').send({ username: ADA }).expect(202)
      passSeconds(60)
    }
    await browser().post('/code').send({ username: ADA }).expect(429)

    passSeconds(600)

    await browser().post('/code').send({ username: ADA }).expect(202)
  })

  test('a sign-in gives back the codes that were asked for', async () => {
    holdDate()
    const { simulator, browser } = await openJourney()
    for (let i = 0; i < 5; i++) {
      await browser().post('/code').send({ username: ADA }).expect(202)
      passSeconds(60)
    }
    await browser()
      .post('/login')
      .send({ username: ADA, otp: simulator.lastCode(ADA) })
      .expect(200)

    await browser().post('/code').send({ username: ADA }).expect(202)
  })

  test('an outage is an error, and no promise of a mail', async () => {
    const { simulator, browser } = await openJourney()
    await simulator.stop()

    const reply = await browser().post('/code').send({ username: ADA })

    expect([reply.status, reply.body]).toMatchObject([502, { code: 'unreachable' }])
  })
})

describe('createOtpRequest', () => {
  test('asks for a code without Express', async () => {
    const { simulator, strategy } = await openJourney()

    await strategy.createOtpRequest(ADA)

    expect(simulator.mailbox).toHaveLength(1)
  })

  test('takes a username with blanks around it, and keeps its capitals where it is no address', async () => {
    const { simulator, strategy } = await openJourney({ store: { members: [{ username: 'Buyer-7' }] } })

    await strategy.createOtpRequest(' Buyer-7\n')

    expect(simulator.lastCode('Buyer-7')).toEqual(expect.any(String))
  })

  test('resolves for a username that does not exist', async () => {
    const { strategy } = await openJourney({ store: { unknownUsernameStatus: 404 } })

    await expect(strategy.createOtpRequest('nobody')).resolves.toBeUndefined()
  })

  test('rejects an empty username', async () => {
    const { strategy } = await openJourney()

    await expect(strategy.createOtpRequest(' ')).rejects.toMatchObject({
      code: 'missing_credentials',
      message: 'A username is needed to ask for a code',
      status: 400,
    })
  })

  test.each([undefined, null, 42, {}, '\t', 'a'.repeat(1025)])(
    'rejects %p for a username, also where the app leaves usernames as they are',
    async (username) => {
      const { simulator, strategy } = await openJourney({ strategy: { normalizeUsername: (typed) => typed } })

      await expect(strategy.createOtpRequest(username as string)).rejects.toMatchObject({
        code: 'missing_credentials',
      })
      expect(simulator.requests).toEqual([])
    },
  )

  test('rejects a username of which the app makes nothing', async () => {
    const { strategy } = await openJourney({ strategy: { normalizeUsername: () => '' } })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'missing_credentials' })
  })

  test.each<unknown>([undefined, 42, Promise.resolve(ADA)])(
    'blames the app where its normalizeUsername makes %p of a username, and tells of it',
    async (made) => {
      const { strategy } = await openJourney({ strategy: { normalizeUsername: () => made as string } })
      const message = nextMessage()

      await expect(strategy.createOtpRequest(ADA)).rejects.toThrow(
        new TypeError('normalizeUsername must answer with a string'),
      )
      expect(await message).toMatchObject({ operation: 'code-request', outcome: 'error', code: 'app_error' })
    },
  )

  // Which Express's next takes for no error, or for a word of its own.
  test.each([undefined, 'route'])('lets nobody go on where normalizeUsername throws %p', async (thrown) => {
    const normalizeUsername = () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw thrown
    }
    const { simulator, browser } = await openJourney({ strategy: { normalizeUsername } })

    await browser().post('/code').send({ username: ADA }).expect(500)
    expect(simulator.requests).toEqual([])
  })

  test.each([
    ['a sign-in that broke off', 'reset', {}, 502],
    ['a sign-in for another account than there is', undefined, { account_id: 'another' }, 403],
  ] as const)(
    'asks for another code at once after %s, which may have spent it',
    async (_what, fault, fields, status) => {
      const { simulator, browser } = await openJourney()
      await browser().post('/code').send({ username: ADA }).expect(202)
      const otp = simulator.lastCode(ADA)
      if (fault) simulator.fault('exchange', fault, { times: 2 })
      await browser()
        .post('/login')
        .send({ username: ADA, otp, ...fields })
        .expect(status)
      await browser().post('/code').send({ username: ADA }).expect(202)

      expect(simulator.count('otp_request')).toBe(2)
    },
  )

  test('shares the request of a tap', async () => {
    const { simulator, strategy } = await openJourney()

    await Promise.all([strategy.createOtpRequest(ADA), strategy.createOtpRequest(ADA)])

    expect(simulator.count('otp_request')).toBe(1)
  })

  test('outages do not use up codes', async () => {
    const { simulator, browser } = await openJourney()
    simulator.fault('otp_request', { status: 503 }, { times: 5 })
    for (let i = 0; i < 5; i++) await browser().post('/code').send({ username: ADA }).expect(502)
    await browser().post('/code').send({ username: ADA }).expect(202)
  })

  test('answers that nobody can read use up codes', async () => {
    const { simulator, browser } = await openJourney()
    simulator.fault('otp_request', 'truncated', { times: Infinity })
    for (let i = 0; i < 5; i++) await browser().post('/code').send({ username: ADA }).expect(502)
    await browser().post('/code').send({ username: ADA }).expect(429)
  })

  test('answers that do not come use up codes: each may be in the mail all the same', async () => {
    const { simulator, browser } = await openJourney({ strategy: { timeout: 50 } })
    for (let i = 0; i < 5; i++) {
      simulator.fault('otp_request', 'hang')
      await browser().post('/code').send({ username: ADA }).expect(504)
    }
    await browser().post('/code').send({ username: ADA }).expect(429)
  })
})

describe('a requestLimiter of the app’s own', () => {
  function limiter(consume: (key: string) => Promise<unknown>) {
    const keys: string[] = []
    const rewarded: [string, number][] = []
    return {
      keys,
      rewarded,
      consume(key: string) {
        keys.push(key)
        return consume(key)
      },
      delete(key: string) {
        keys.push(key)
        return Promise.resolve()
      },
      reward(key: string, points: number) {
        rewarded.push([key, points])
        return Promise.resolve()
      },
    }
  }

  test('sees no username, and another key than the limiter of sign-ins', async () => {
    const requestLimiter = limiter(() => Promise.resolve())
    const signIns = limiter(() => Promise.resolve())
    const { signIn, strategy } = await openJourney({ strategy: { requestLimiter, limiter: signIns } })

    await strategy.createOtpRequest(ADA)
    await signIn()

    expect(requestLimiter.keys).toHaveLength(2)
    expect(new Set(requestLimiter.keys).size).toBe(1)
    expect(requestLimiter.keys[0]).not.toContain('ada')
    expect(signIns.keys).not.toContain(requestLimiter.keys[0])
  })

  test('says how long to wait, and Commerce is not asked', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the shape that limiters reject with
    const requestLimiter = limiter(() => Promise.reject({ msBeforeNext: 90_500 }))
    const { simulator, strategy } = await openJourney({ strategy: { requestLimiter } })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({
      code: 'too_many_attempts',
      message: 'Too many codes were asked for with this username',
      status: 429,
      retryAfter: 91,
    })
    expect(simulator.requests).toEqual([])
    expect(requestLimiter.rewarded).toEqual([])
  })

  test('gets the point of an outage back', async () => {
    const requestLimiter = limiter(() => Promise.resolve())
    const { simulator, strategy } = await openJourney({ strategy: { requestLimiter } })
    simulator.fault('otp_request', { status: 503 })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'upstream_error' })

    expect(requestLimiter.rewarded).toEqual([[requestLimiter.keys[0], 1]])
  })

  test('that knows no way to take a point back does not hide an outage', async () => {
    const requestLimiter = { consume: () => Promise.resolve(), delete: () => Promise.resolve() }
    const { simulator, strategy } = await openJourney({ strategy: { requestLimiter } })
    simulator.fault('otp_request', { status: 503 })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'upstream_error' })
  })

  test('that cannot take the point of an outage back does not hide the outage', async () => {
    const requestLimiter = {
      consume: () => Promise.resolve(),
      delete: () => Promise.resolve(),
      reward: () => Promise.reject(new Error('Redis is down')),
    }
    const { simulator, strategy } = await openJourney({ strategy: { requestLimiter } })
    simulator.fault('otp_request', { status: 503 })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'upstream_error' })
  })
})

describe('what Commerce says to a request for a code', () => {
  const complaint = (...fields: string[]) => ({
    errors: [
      {
        status: '422',
        title: 'Unprocessable Entity',
        detail: `Validation failed: ${fields.map((field) => `field '${field}' on the 'email' tag`).join('; ')}.`,
      },
    ],
  })

  test('about the username does not tell whether it exists', async () => {
    const { simulator, strategy } = await openJourney()
    simulator.fault('otp_request', { status: 422, body: complaint('Username') })

    await expect(strategy.createOtpRequest('no address')).resolves.toBeUndefined()
  })

  test.each([
    ['another field', 422, complaint('PasswordProfileID')],
    ['another field as well', 422, complaint('Username', 'PasswordProfileID')],
    ['a field whose name only begins like it', 422, complaint('UsernameFormat')],
    ['a field whose name only ends like it', 422, complaint('ProfileUsername')],
    ['no field', 422, { errors: [{ status: '422', title: 'Unprocessable Entity' }] }],
    ['the client', 403, { errors: [{ status: '403', title: 'Forbidden' }] }],
  ])('about %s is an error that says what to check', async (_name, status, body) => {
    const { simulator, strategy } = await openJourney()
    simulator.fault('otp_request', { status, body })

    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({
      code: 'request_refused',
      status: 500,
      upstreamStatus: status,
      message: expect.stringMatching(
        /one-time-password-token-request.*authenticationRealmId.*enable_one_time_password_token/,
      ) as string,
    })
  })
})

test('createOtpRequest rejects where the app cannot normalise the username', async () => {
  const normalizeUsername = () => {
    throw new Error('no such alphabet')
  }
  const { strategy } = await openJourney({ strategy: { normalizeUsername } })
  await expect(strategy.createOtpRequest(ADA)).rejects.toThrow('no such alphabet')
})
