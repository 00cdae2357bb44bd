import { createHash, randomUUID } from 'node:crypto'
import type { AccountSeed, MemberSeed } from './options'

/** An account member of the simulated store. */
export interface Member {
  /** The account member's id. */
  readonly id: string
  /** The username to sign in with, spelt exactly so. */
  readonly username: string
  /** Where its codes go. */
  readonly email: string
  /** The name that events of codes carry. */
  readonly name: string
  /** The accounts it belongs to, in the order in which Commerce lists them. */
  readonly accounts: AccountList
}

/** An account that a member of the simulated store belongs to. */
export interface Account {
  /** The account's id. */
  readonly id: string
  /** The account's name. */
  readonly name: string
}

/** A member's accounts; ten thousand cost no more than one. */
export interface AccountList {
  /** How many there are. */
  readonly total: number
  /** The accounts from `offset` on, `limit` at most. */
  page(offset: number, limit: number): Account[]
  /** The account with an id; undefined where the member does not belong to it. */
  find(id: string): Account | undefined
}

// Commerce's limit of accounts for one member.
const MOST_ACCOUNTS = 10_000

/** The store's account members, by username and by id. */
export class Members {
  private readonly byUsername = new Map<string, Member>()
  private readonly byId = new Map<string, Member>()

  add(seed: MemberSeed): Member {
    const { id = randomUUID(), username, name = username } = seed
    if (username === '') throw new TypeError('A member needs a username')
    if (this.byUsername.has(username))
      throw new TypeError(`There is a member with the username ${username} already`)
    if (this.byId.has(id)) throw new TypeError(`There is a member with the id ${id} already`)
    const email = seed.email ?? (username.includes('@') ? username : `${username}@example.com`)
    return this.keep({ id, username, email, name, accounts: listOf(id, seed.accounts ?? 1) })
  }

  setAccounts(username: string, accounts: number | readonly AccountSeed[]): Member {
    const member = this.require(username)
    return this.keep({ ...member, accounts: listOf(member.id, accounts) })
  }

  named(username: string): Member | undefined {
    return this.byUsername.get(username)
  }

  withId(id: string): Member | undefined {
    return this.byId.get(id)
  }

  require(username: string): Member {
    const member = this.named(username)
    if (member) return member
    throw new TypeError(`No member has the username ${username}: add one with addMember, spelt exactly so`)
  }

  private keep(member: Member): Member {
    this.byUsername.set(member.username, member)
    this.byId.set(member.id, member)
    return member
  }
}

function listOf(memberId: string, accounts: number | readonly AccountSeed[]): AccountList {
  const total = typeof accounts === 'number' ? accounts : accounts.length
  if (!Number.isInteger(total) || total < 0 || total > MOST_ACCOUNTS) {
    throw new RangeError(`A member belongs to 0 to ${MOST_ACCOUNTS} accounts, not ${total}`)
  }
  return typeof accounts === 'number' ? numbered(memberId, total) : listed(accounts)
}

function listed(seeds: readonly AccountSeed[]): AccountList {
  const accounts = seeds.map(({ id = randomUUID(), name }): Account => ({ id, name }))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  if (byId.size < accounts.length) throw new TypeError('Two accounts of a member have the same id')
  return {
    total: accounts.length,
    page: (offset, limit) => accounts.slice(offset, offset + limit),
    find: (id) => byId.get(id),
  }
}

/** Accounts that are made when looked at: an id is the member's own prefix and the account's number. */
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
