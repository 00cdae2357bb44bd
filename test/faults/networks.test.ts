import { inspect } from 'node:util'
import { controlClock, pass, SECOND } from '../support/clock'
import { ADA, bodyOf, collectDiagnostics, openShop, openSecondShop } from '../support/shop'
import { NETWORKS } from './networks'

test.each(NETWORKS)(
  'with %s, the shop gets %s, and works when it is mended',
  async (_name, result, says, open) => {
    controlClock()
    const { simulator } = await openShop()
    const { options, mend, arrived } = await open(Number(new URL(simulator.url).port))
    const messages = collectDiagnostics()
    const { strategy, submit, errors } = await openSecondShop(simulator, {
      options: { timeout: SECOND, ...options },
    })
    const otp = simulator.issueCode(ADA)

    const responding = submit({ otp }).then((response) => response)
    if (result === '504 timeout') {
      await arrived
      await pass(SECOND)
    }
    const response = await responding
    const { code, message } = bodyOf<{ code: string; message: string }>(response)
    expect(`${response.status} ${code}`).toBe(result)
    expect(message).toMatch(says)
    expect(simulator.requests).toEqual([])
    expect(messages).toMatchObject([{ operation: 'sign-in', outcome: 'error', code }])
    expect(inspect([errors, messages], { depth: 20, showHidden: true })).not.toMatch(
      new RegExp(`${ADA}|${otp}`),
    )

    if (mend) {
      await mend()
      expect((await submit({ otp })).status).toBe(200)
    }
    const closed = strategy.close()
    // It waits for a connection that is not open yet, but not longer than the timeout.
    await pass(SECOND)
    await closed
  },
)
