import { Router } from 'express'
import type { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { DEMO_SHOPPERS } from '../demo'
import { inTime, isSignInEnd } from '../elastic-path/call'
import { createProductReader } from '../elastic-path/products'
import { parameter } from '../http/input'

interface ShopOptions {
  strategy: PasswordlessOtpStrategy
  /** Whether shoppers of the demo are offered. */
  demo: boolean
}

/** The files in `public`. */
const PICTURES = new Set(['rope', 'lamp', 'buoy'])

/** The home page, with the products that the visitor can buy. */
export function shopRoutes({ strategy, demo }: ShopOptions): Router {
  const readProducts = createProductReader(strategy.fetch)
  return Router().get('/', async (req, res) => {
    const products = await (
      req.user?.account ? inTime(strategy.fetchAs(req.user), readProducts) : readProducts()
    ).catch((error: unknown) => {
      if (req.user?.account && isSignInEnd(error)) throw error
      // The page has more than the products, such as the sign-in.
      req.log.error({ err: error }, 'The products could not be read')
      return undefined
    })
    res.render('home', {
      products: products?.map((product) => ({ ...product, hasPicture: PICTURES.has(product.sku) })),
      added: parameter(req, 'added'),
      shoppers: demo ? DEMO_SHOPPERS : [],
    })
  })
}
