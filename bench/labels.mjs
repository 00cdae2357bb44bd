/** What README.md and the chart call the peers. */
export const labels = {
  floor: 'the floor',
  'floor, again': 'the floor, again',
  passport: 'the floor behind Passport',
  strategy: 'passport-elasticpath-otp',
  fetch: 'fetch',
  'js-sdk': '@elasticpath/js-sdk',
  'sdks-shopper': '@epcc-sdk/sdks-shopper',
  'strategy, the last by account_id': 'passport-elasticpath-otp, the last by `account_id`',
  'strategy, the last by a function': 'passport-elasticpath-otp, the last by `selectAccount`',
}
