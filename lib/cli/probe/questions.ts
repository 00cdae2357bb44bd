import { objects, at } from '../json'
import { accepted, NoAnswer, wrongCode, type Lab } from './lab'

/** The answer to a question, and the options that follow from it. */
interface Answer {
  readonly answer: string
  /** Which option of the strategy, or other setting, follows. */
  readonly advice?: string
}

export interface Question {
  readonly id: string
  readonly question: string
  readonly ask: (lab: Lab) => Promise<Answer> | Answer
}

// How many wrong attempts are made with one code before the right one is tried. Each narrows the last answer down.
const ROUNDS = [9, 4, 2] as const
const UNKNOWN_REQUESTS = 3

/** In the order in which they are asked: those that need many requests come last. */
export const QUESTIONS: readonly Question[] = [
  { id: 'reuse', question: 'Does a code work twice?', ask: reuse },
  { id: 'newer_code', question: 'Does a new code invalidate the old one?', ask: newerCode },
  { id: 'username_case', question: 'Is the username case-sensitive?', ask: usernameCase },
  {
    id: 'unknown_username',
    question: 'What does an unknown username get?',
    ask: unknownUsername,
  },
  { id: 'no_account', question: 'What does a member of no account get?', ask: noAccount },
  {
    id: 'wrong_attempts',
    question: 'After how many wrong attempts does a code stop working?',
    ask: wrongAttempts,
  },
  { id: 'deliveries', question: 'How long do deliveries take?', ask: deliveries },
  { id: 'token_lifetimes', question: 'How long do tokens live?', ask: tokenLifetimes },
]

async function reuse(lab: Lab): Promise<Answer> {
  const { member } = lab.usernames
  const code = await lab.code(member)
  const first = await lab.exchange(member, code)
  if (!accepted(first)) throw new NoAnswer(`The code that arrived was refused with ${first.status}.`)
  const second = await lab.exchange(member, code)
  if (!accepted(second)) return { answer: `No. The second exchange got ${second.status}.` }
  return {
    answer: 'Yes. The second exchange was accepted too.',
    advice:
      'The strategy sends a code once in any case. Deliver codes to the mailbox only, and log them nowhere.',
  }
}

async function newerCode(lab: Lab): Promise<Answer> {
  const { member } = lab.usernames
  const older = await lab.code(member)
  const newer = await lab.code(member)
  if (older === newer) return { answer: 'The second request brought the same code again.' }
  const first = await lab.exchange(member, older)
  if (accepted(first)) {
    return {
      answer: 'No. The older code was accepted after a newer one was sent.',
      advice: 'Several codes are valid at once. Leave requestLimiter on, which bounds how many.',
    }
  }
  const second = await lab.exchange(member, newer)
  if (accepted(second)) {
    return {
      answer: `Yes. The older code got ${first.status}, the newer one was accepted.`,
      advice: 'Say in the mail that only the newest code works.',
    }
  }
  return {
    answer: `Both codes were refused, with ${first.status} and ${second.status}: a wrong attempt may use up the newer one.`,
  }
}

async function usernameCase(lab: Lab): Promise<Answer> {
  const { member, otherCase } = lab.usernames
  if (otherCase === undefined)
    throw new NoAnswer('Pass --other-case with the username in other upper and lower case.')
  const code = await lab.code(member)
  const other = await lab.exchange(otherCase, code)
  if (accepted(other)) return { answer: 'No. The code was accepted for the other spelling.' }
  const exact = await lab.exchange(member, code)
  if (!accepted(exact))
    throw new NoAnswer(`Both spellings were refused, with ${other.status} and ${exact.status}.`)
  return {
    answer: `Yes. The other spelling got ${other.status}, the exact one was accepted.`,
    advice:
      'The strategy lower-cases email addresses. If members are registered with capital letters, set normalizeUsername.',
  }
}

async function unknownUsername(lab: Lab): Promise<Answer> {
  const { unknown } = lab.usernames
  if (unknown === undefined) throw new NoAnswer('Pass --unknown with a username that no member has.')
  const statuses = new Set<number>()
  for (let count = 0; count < UNKNOWN_REQUESTS; count++) statuses.add((await lab.request(unknown)).status)
  const [known, other] = [median(lab.timesKnown), median(lab.timesUnknown)]
  const medians =
    `Median times: ${milliseconds(other)} of ${lab.timesUnknown.length} for it, ` +
    `${milliseconds(known)} of ${lab.timesKnown.length} for a member. So few prove nothing.`
  const slowest = Math.max(known ?? 0, other ?? 0)
  return {
    answer: `${[...statuses].join(', ')}. ${medians}`,
    advice:
      slowest > 800
        ? `Elastic Path is slow here. Raise uniformResponseTime above ${Math.ceil(slowest / 500) * 500 + 500}, so that times reveal nothing.`
        : 'requestOtp answers alike for every username. Leave uniformResponseTime at its default.',
  }
}

async function noAccount(lab: Lab): Promise<Answer> {
  const { withoutAccount } = lab.usernames
  if (withoutAccount === undefined)
    throw new NoAnswer('Pass --no-account with a member who belongs to no account.')
  const answer = await lab.exchange(withoutAccount, await lab.code(withoutAccount))
  if (!accepted(answer))
    return {
      answer: `The exchange was refused with ${answer.status}.`,
      advice: 'requireAccount: false has no effect at this store.',
    }
  const count = objects(at(answer.body, 'data')).length
  if (count > 0) throw new NoAnswer(`This member belongs to accounts (${count} or more).`)
  return {
    answer: `${answer.status} with an empty list.`,
    advice: 'They fail with no_account. Set requireAccount: false to sign them in without an account.',
  }
}

async function wrongAttempts(lab: Lab): Promise<Answer> {
  const { member } = lab.usernames
  let most = Infinity
  for (const wrong of ROUNDS) {
    const code = await lab.code(member)
    const first = await lab.exchange(member, wrongCode(code, 0))
    for (let attempt = 1; attempt < wrong; attempt++) {
      const { status } = await lab.exchange(member, wrongCode(code, attempt))
      if (status !== first.status) {
        return {
          answer: `Wrong attempts get ${first.status}, and ${status} from attempt ${attempt + 1} on.`,
          advice: KEEP_LIMITER,
        }
      }
    }
    if (accepted(await lab.exchange(member, code))) {
      const answer =
        most === Infinity ? `After more than ${wrong}, if at all` : `After ${wrong + 1} to ${most}`
      return { answer: `${answer}. Each wrong attempt got ${first.status}.`, advice: KEEP_LIMITER }
    }
    most = wrong
  }
  return {
    answer: `After 1 to ${most}.`,
    advice:
      'The five attempts of a ticket are more than the store allows. Say in the form that a new code may be needed.',
  }
}

const KEEP_LIMITER = 'Leave limiter on: it allows fewer guesses than this.'

function deliveries({ deliveries: times }: Lab): Answer {
  const middle = median(times)
  if (middle === undefined) throw new NoAnswer('No code arrived.')
  const answer = `Median ${seconds(middle)}, longest ${seconds(Math.max(...times))}, of ${times.length}.`
  if (middle < 60_000) return { answer }
  return {
    answer,
    advice: 'Codes live ten minutes. Tell shoppers in the form that the mail can take a while.',
  }
}

function tokenLifetimes({ accessTokenLifetime, accountTokenLifetime }: Lab): Answer {
  const [access, account] = [accessTokenLifetime, accountTokenLifetime].map((value) =>
    value === undefined ? 'unknown' : `${value} s`,
  )
  const answer = `Access tokens: ${access}. Account tokens: ${account}.`
  if (accountTokenLifetime === undefined || accountTokenLifetime > 7200) return { answer }
  return {
    answer,
    advice: 'Account tokens are short. keepFresh renews them in the second half of their life.',
  }
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? 'unknown' : `${Math.round(value)} ms`
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`
}
