import { createHash, randomUUID } from 'node:crypto'
import { checkNames, checkUnused } from './checks'
import type { AccountSeed, MemberSeed } from './options'

/** An account member. */
export interface Member {
  /** The account member's id. */
  readonly id: string
  /** The username. */
  readonly username: string
  /** The email address that codes are sent to. */
  readonly email: string
  /** The member's name. */
  readonly name: string
  /** The member's accounts, in the order in which Elastic Path lists them. */
  readonly accounts: AccountList
}

/** An account. */
export interface Account {
  /** The account's id. */
  readonly id: string
  /** The account's name. */
  readonly name: string
}

/** A member's accounts, as a list that is read in pages. */
export interface AccountList {
  /** The number of accounts. */
  readonly total: number
  /** Returns at most `limit` accounts, starting at `offset`. */
  page(offset: number, limit: number): Account[]
  /** Returns the account with an id. Undefined if the member does not belong to such an account. */
  find(id: string): Account | undefined
}

// Elastic Path's maximum number of accounts for one member.
const MOST_ACCOUNTS = 10_000

const ACCOUNT_NAMES: Record<keyof AccountSeed, true> = { id: true, name: true }
const SEED_NAMES: Record<keyof MemberSeed, true> = {
  id: true,
  username: true,
  email: true,
  name: true,
  accounts: true,
}

/** The account members, by username and by id. */
export class Members {
  private readonly byUsername = new Map<string, Member>()
  private readonly byLowerCase = new Map<string, Member>()
  private readonly byId = new Map<string, Member>()

  /** @param ignoresCase whether usernames are case-insensitive */
  constructor(private readonly ignoresCase: () => boolean) {}

  get all(): readonly Member[] {
    return [...this.byId.values()]
  }

  add(seed: MemberSeed): Member {
    checkNames('a member', seed, SEED_NAMES)
    const { id = randomUUID(), username, name = username } = seed
    if (username === '') throw new TypeError('The username of a member must not be empty')
    if (this.byUsername.has(username)) throw new TypeError(`The username ${username} is already in use`)
    checkUnused('member', id, this.byId.get(id))
    const email = seed.email ?? (username.includes('@') ? username : `${username}@example.com`)
    return this.keep({ id, username, email, name, accounts: listOf(id, seed.accounts ?? 1) })
  }

  setAccounts(username: string, accounts: number | readonly AccountSeed[]): Member {
    const member = this.require(username)
    return this.keep({ ...member, accounts: listOf(member.id, accounts) })
  }

  removeFromAccount(username: string, accountId: string): Member {
    const member = this.require(username)
    if (!member.accounts.find(accountId))
      throw new TypeError(`${username} does not belong to the account ${accountId}`)
    return this.keep({ ...member, accounts: without(member.accounts, accountId) })
  }

  remove(username: string): void {
    const member = this.require(username)
    this.byUsername.delete(member.username)
    this.byLowerCase.delete(member.username.toLowerCase())
    this.byId.delete(member.id)
  }

  named(username: string): Member | undefined {
    const exact = this.byUsername.get(username)
    return exact ?? (this.ignoresCase() ? this.byLowerCase.get(username.toLowerCase()) : undefined)
  }

  withId(id: string): Member | undefined {
    return this.byId.get(id)
  }

  require(username: string): Member {
    const member = this.named(username)
    if (member) return member
    throw new TypeError(`No member has the username ${username}. Add one with addMember.`)
  }

  private keep(member: Member): Member {
    this.byUsername.set(member.username, member)
    this.byLowerCase.set(member.username.toLowerCase(), member)
    this.byId.set(member.id, member)
    return member
  }
}

/** Returns a list without one of its accounts. */
function without(list: AccountList, accountId: string): AccountList {
  return listed(list.page(0, list.total).filter(({ id }) => id !== accountId))
}

function listOf(memberId: string, accounts: number | readonly AccountSeed[]): AccountList {
  const total = typeof accounts === 'number' ? accounts : accounts.length
  if (!Number.isInteger(total) || total < 0 || total > MOST_ACCOUNTS) {
    throw new RangeError(`The number of a member's accounts must be 0 to ${MOST_ACCOUNTS}, not ${total}`)
  }
  return typeof accounts === 'number' ? numbered(memberId, total) : listed(accounts)
}

function listed(seeds: readonly AccountSeed[]): AccountList {
  const accounts = seeds.map((seed): Account => {
    checkNames('an account', seed, ACCOUNT_NAMES)
    return { id: seed.id ?? randomUUID(), name: seed.name }
  })
  const byId = new Map(accounts.map((account) => [account.id, account]))
  if (byId.size < accounts.length) throw new TypeError('Two accounts of a member have the same id')
  return {
    total: accounts.length,
    page: (offset, limit) => accounts.slice(offset, offset + limit),
    find: (id) => byId.get(id),
  }
}

/**
 * Generates accounts when they are read, so 10,000 accounts use no more memory than one. An id consists of a prefix
 * for the member and the account's number.
 */
function numbered(memberId: string, total: number): AccountList {
  const hex = createHash('sha256').update(memberId).digest('hex')
  const prefix = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 22)}`
  const at = (index: number): Account => ({
    id: prefix + index.toString(16).padStart(8, '0'),
    name: `Account ${index + 1}`,
  })
  return {
    total,
    page: (offset, limit) =>
      Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => at(offset + i)),
    find: (id) => {
      const index = parseInt(id.slice(prefix.length), 16)
      return index < total && at(index).id === id ? at(index) : undefined
    },
  }
}
