import { Router } from 'express'
import { DEMO_SHOPPERS } from '../demo'
import { field } from '../http/input'

const CATALOGUE = [
  { sku: 'rope', name: 'Mooring rope', detail: '14 mm polyester, 50 m', price: '£86.00' },
  { sku: 'lamp', name: 'Deck lamp', detail: 'Brass, LED, 2 nautical miles', price: '£142.00' },
  { sku: 'buoy', name: 'Marker buoy', detail: '40 cm, with its own light', price: '£64.00' },
]

/** The home page and the basket. A guest's basket is kept when they sign in. */
export function shopRoutes({ demo }: { demo: boolean }): Router {
  return Router()
    .get('/', (req, res) => {
      const { basket = {} } = req.session
      const products = CATALOGUE.map((product) => ({ ...product, quantity: basket[product.sku] ?? 0 }))
      res.render('home', { products, shoppers: demo ? DEMO_SHOPPERS : [] })
    })
    .post('/basket', (req, res, next) => {
      const product = CATALOGUE.find(({ sku }) => sku === field(req, 'sku'))
      if (!product) {
        next({ status: 400 })
        return
      }
      const { basket = {} } = req.session
      req.session.basket = { ...basket, [product.sku]: Math.min((basket[product.sku] ?? 0) + 1, 99) }
      res.redirect(303, `/#${product.sku}`)
    })
}
