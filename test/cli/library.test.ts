import { PasswordlessOtpStrategy } from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'

const PROFILE = '11111111-1111-4111-8111-111111111111'
const SETUP = 'Run `npx passport-elasticpath-otp setup`, or set'

describe('the errors of the library', () => {
  it.each([
    ['no profile has codes turned on', {}, 'password_profile_not_found', SETUP],
    [
      'the profile that is set has codes turned off',
      { passwordProfileId: PROFILE },
      'password_profile_not_found',
      SETUP,
    ],
    [
      'the client id is wrong',
      { clientId: 'wrong' },
      'client_refused',
      'Check clientId and clientSecret, and that baseUrl is the region of the store that they belong to.',
    ],
  ])('say what to do if %s', async (_, options, code, advice) => {
    const passwordProfiles = [{ id: PROFILE, oneTimePasswords: false }]
    await using simulator = await ElasticPathSimulator.start({ passwordProfiles })
    const { url: baseUrl, clientId } = simulator
    const strategy = new PasswordlessOtpStrategy({ baseUrl, clientId, ...options })

    await expect(strategy.ready()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(advice) as string,
    })
    await strategy.close()
  })
})
