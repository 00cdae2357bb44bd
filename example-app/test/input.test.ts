import { ownPath } from '../src/input'

describe('the way back after a sign-in', () => {
  it.each(['/account', '/accounts?q=a&page=2', '/'])('may be %s', (path) => expect(ownPath(path)).toBe(path))

  it.each([
    'https://elsewhere.example',
    '//elsewhere.example',
    '/\\elsewhere.example',
    '\\\\elsewhere.example',
    '/\t/elsewhere.example',
    '/.//elsewhere.example',
    '/a/..//elsewhere.example',
    'javascript:alert(1)',
    'account',
    '',
    undefined,
    ['/account'],
    '/%2e//elsewhere.example',
    '////elsewhere.example',
    '/\n\\elsewhere.example',
  ])('is never %j', (path) => expect(ownPath(path)).toBeUndefined())
})
