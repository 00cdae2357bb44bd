import { findTarget } from '../../lib/calls/target'

const BASE = { origin: 'https://store.example', prefix: '/ep' }

describe('the target of a call', () => {
  test.each([
    ['/v2/carts', '/v2/carts', ''],
    ['v2/carts', '/v2/carts', ''],
    ['', '/', ''],
    ['?a=b', '/', '?a=b'],
    ['/v2/carts/a..b', '/v2/carts/a..b', ''],
    ['/v2/carts/...', '/v2/carts/...', ''],
    ['/v2/carts/a%20b?x=..%2F..%5C#part', '/v2/carts/a%20b', '?x=..%2F..%5C'],
    ['/v2/carts/100%25', '/v2/carts/100%25', ''],
    ['/v2/carts/%zz%e0', '/v2/carts/%zz%e0', ''],
    [`/v2/carts/${encodeURIComponent('Zoë & co?#')}`, '/v2/carts/Zo%C3%AB%20%26%20co%3F%23', ''],
    ['https://store.example/ep/v2/carts?a=b', '/v2/carts', '?a=b'],
    ['//store.example/ep/v2', '/v2', ''],
    [`/v2/carts/%${'25'.repeat(4)}20`, `/v2/carts/%${'25'.repeat(4)}20`, ''],
    ['/v2/carts/a:b//c', '/v2/carts/a:b//c', ''],
  ])('of %p is %p with the query %p', (given, path, query) => {
    const href = `https://store.example/ep${path === '/' && !given.includes('/') ? '/' : path}${query}`
    expect(findTarget(given, BASE)).toEqual({ href, path, query })
  })

  test('of baseUrl itself is its root', () => {
    expect(findTarget('https://store.example/ep?a=b', BASE)).toEqual({
      href: 'https://store.example/ep?a=b',
      path: '/',
      query: '?a=b',
    })
  })

  test.each<[string, string[]]>([
    [
      'must not contain a dot segment',
      [
        '/v2/carts/../orders',
        '/v2/carts/..',
        '/v2/./carts',
        '/v2/carts/%2e%2e/orders',
        '/v2/carts/.%2E/orders',
        '/v2/carts/%252e%252e/orders',
        '/v2/carts/..;a=b/orders',
        '/v2/carts/..%3Forders',
        '/v2/carts/%2e%2e%2523',
        '/v2/carts/.%09./orders',
        '/v2/carts/..%2500/orders',
        'https://store.example/ep/v2/../../admin',
      ],
    ],
    [
      'must not contain an encoded slash or a backslash',
      [
        '/v2/carts/..%2Forders',
        '/v2/carts/..%5Corders',
        '/v2/carts/..\\orders',
        '/v2/carts/a%2Fb',
        '/v2/carts/a%252fb',
        '/v2/carts/a%25252fb',
        '/\\example.com/ep/v2',
        'https:/\\example.com',
      ],
    ],
    ['is encoded too often', [`/v2/carts/%${'25'.repeat(20)}2f`, `/v2/carts/%${'25'.repeat(6)}20`]],
    [
      'must not contain control characters',
      [
        '/v2/carts/.\t./orders',
        '/v2/carts/\u0000',
        '/v2/carts/\u007f',
        ' //example.com/v2',
        'https://example.com/ep ',
      ],
    ],
    [
      'is outside baseUrl',
      ['https://store.example/other', 'https://store.example/epx', 'https://store.example/'],
    ],
    [
      'has another origin than baseUrl',
      [
        'https://example.com/ep/v2',
        'HTTPS://example.com/ep/v2',
        'https://store.example:444/ep/v2',
        'http://store.example/ep/v2',
        '//example.com/ep/v2',
        '///example.com/ep/v2',
        'data:,x',
        'javascript:alert(1)',
        'h2+x-y.z:a',
      ],
    ],
    [
      'must not contain a username or a password',
      [
        'https://user:secret@store.example/ep/v2',
        'https://user@store.example/ep/v2',
        'https://:secret@store.example/ep/v2',
      ],
    ],
    ['is not a valid URL', ['https://']],
  ])('%s, and the TypeError does not contain it', (why, urls) => {
    const message = `fetch: the URL ${why}. Use encodeURIComponent for ids in a path.`
    for (const url of urls) expect(() => findTarget(url, BASE)).toThrow(new TypeError(message))
  })
})
