import { readRefusal } from '../../lib/commerce/refusal'

const errors = (...list: unknown[]) => JSON.stringify({ errors: list })
const read = (status: number, text: string, sent = '') => readRefusal(status, text, sent)
const saying = (title: string, sent = '') => read(403, errors({ title }), sent)?.summary

describe('a refusal', () => {
  test.each([403, 404, 409, 422])('is recognized by the status %p with any JSON or none', (status) => {
    for (const text of ['', 'null', '{}', '{"errors":[]}', '{"errors":"no"}']) {
      expect(read(status, text)).toEqual({
        status,
        fields: [],
        ofAccessToken: false,
        ofRealm: false,
        summary: '',
      })
    }
    expect(read(status, '<h1>Forbidden</h1>')).toBeUndefined()
  })

  test.each([400, 401])('is recognized by the status %p only with an error of Elastic Path', (status) => {
    for (const text of ['', 'null', '{}', '{"errors":[]}', '{"errors":"no"}', '<h1>Unauthorized</h1>']) {
      expect(read(status, text)).toBeUndefined()
    }
    expect(read(status, errors({}))).toEqual({
      status,
      fields: [],
      ofAccessToken: false,
      ofRealm: false,
      summary: '',
    })
  })

  test.each([200, 302, 402, 405, 418, 429, 500])('is not recognized by the status %p', (status) => {
    expect(read(status, errors({ title: 'Not Found' }))).toBeUndefined()
  })

  test.each<[string, unknown[]]>([
    ['a text', [{}, 'no']],
    ['null', [null]],
    ['a list', [[]]],
  ])('is not recognized with %s among its errors', (_what, list) => {
    expect(read(422, errors(...list))).toBeUndefined()
  })

  test('contains the invalid fields of all its errors, and nothing else of their details', () => {
    const first = "Validation failed: field 'Username' on the 'required' tag; field 'Otp' on the 'len' tag."
    const second = "field 'Purpose' on the 'oneof' tag"
    expect(read(422, errors({ detail: first }, { title: 'No', detail: 7 }, { detail: second }))).toEqual({
      status: 422,
      fields: ['Username', 'Otp', 'Purpose'],
      ofAccessToken: false,
      ofRealm: false,
      summary: 'Username required, Otp len, Purpose oneof',
    })
    expect(read(422, errors({ detail: `field '${'x'.repeat(61)}' on the 'required' tag` }))?.fields).toEqual(
      [],
    )
  })

  test('is about the access token if it is a 401 and any title or detail says so', () => {
    const title = 'Unable to validate access token'
    expect(read(401, errors({ title }))?.ofAccessToken).toBe(true)
    expect(
      read(401, errors({ title: 'Unauthorized' }, { detail: 'Access Token expired' }))?.ofAccessToken,
    ).toBe(true)
    expect(read(401, errors({ title: 'Unauthorized' }))?.ofAccessToken).toBe(false)
    for (const status of [400, 403, 404, 422])
      expect(read(status, errors({ title }))?.ofAccessToken).toBe(false)
  })

  test.each([400, 401, 403, 404, 422])(
    'is about the realm if the status is %p and the detail says so',
    (status) => {
      const detail = 'the authorization realm for the token could not be found'
      expect(read(status, errors({ title: 'Unauthorized access token', detail }))).toMatchObject({
        ofRealm: true,
        ofAccessToken: false,
      })
      expect(read(status, errors({ detail: 'the realm' }))?.ofRealm).toBe(false)
    },
  )

  test.each(['<h1>Bad Request</h1>', '', '{"errors":["no"]}'])(
    'is recognized by its status if the option is set and the body is %p',
    (text) => {
      expect(readRefusal(400, text, '', true)).toMatchObject({ status: 400, fields: [], summary: '' })
      expect(readRefusal(400, text, '')).toBeUndefined()
      expect(readRefusal(500, text, '', true)).toBeUndefined()
    },
  )

  test('has the first title that consists of a few plain words as its summary', () => {
    expect(saying('Not Found')).toBe('Not Found')
    expect(read(403, errors({ detail: 'no' }, { title: 'code 1' }, { title: 'Forbidden' }))?.summary).toBe(
      'Forbidden',
    )
    for (const title of [
      'ada@example.com',
      'Forbidden: abd1g5',
      '1 Forbidden',
      'Not  Found',
      'Not Found 1',
      'Not a code',
      'Not\nFound',
      'x'.repeat(21),
      'Nine words are more than what it ever says',
      '',
    ]) {
      expect([title, saying(title)]).toEqual([title, ''])
    }
  })

  test('has a summary without any word of the request', () => {
    expect(saying('Code lprvjq refused', '{"one_time_password_token":"lprvjq"}')).toBe('')
    expect(saying('Code lprvjx refused', '{"one_time_password_token":"lprvjq"}')).toBe('Code lprvjx refused')
    const detail = "field 'lprvjq' on the 'required' tag"
    expect(read(422, errors({ detail }), '{"username":"lprvjq"}')?.summary).toBe('')
  })
})
