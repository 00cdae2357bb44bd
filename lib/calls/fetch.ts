import type { Services } from '../services'
export function accessToken(_services: Services): Promise<string> {
  return undefined as never
}
export function createFetch(_services: Services): typeof fetch {
  return undefined as never
}
export function createFetchAs(_services: Services, _user: unknown): typeof fetch {
  return undefined as never
}
