import { ownPath } from '../src/http/input'
import { inWords } from '../src/http/wait'

describe('the path to return to after the sign-in', () => {
  it.each(['/account', '/accounts?q=a&page=2', '/'])('can be %s', (path) => expect(ownPath(path)).toBe(path))

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
    `/${'a'.repeat(500)}`,
  ])('cannot be %j', (path) => expect(ownPath(path)).toBeUndefined())
})

describe('a length of time in words', () => {
  it.each([
    [0, '1 second'],
    [1, '1 second'],
    [45.2, '46 seconds'],
    [60, '1 minute'],
    [200, '4 minutes'],
  ])('of %p seconds is %s', (seconds, words) => expect(inWords(seconds)).toBe(words))
})
