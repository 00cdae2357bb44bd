/** The names of the peers on the page and in the chart. */
export const labels = {
  floor: 'Express and one undici request',
  passport: 'the same behind Passport',
  'passport, again': 'the same behind Passport, again',
  'strategy, no limits': 'this package, `limiter: false`',
  strategy: 'this package',
  fetch: '`fetch`',
  'js-sdk': '`@elasticpath/js-sdk`',
  'sdks-shopper': '`@epcc-sdk/sdks-shopper`',
  'strategy, the last by account_id': 'this package, last account by `account_id`',
  'strategy, the last by a function': 'this package, last account by `selectAccount`',
}
