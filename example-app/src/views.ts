import { basename, resolve } from 'node:path'
import { Eta } from 'eta'
import type { Express } from 'express'

const VIEWS = resolve(__dirname, '../src/views')

/** `<%= %>` escapes its value. */
const eta = new Eta({ views: VIEWS, cache: true })

export const renderView = (name: string, data: object): string => eta.render(name, data)

export function useViews(app: Express): void {
  app.set('views', VIEWS).set('view engine', 'eta')
  app.engine('eta', (file, data, done) => {
    try {
      done(null, renderView(basename(file, '.eta'), data))
    } catch (error) {
      done(error)
    }
  })
}
