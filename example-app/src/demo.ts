import { randomBytes } from 'node:crypto'
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'

/** The shoppers that the home page offers on the simulated store. */
export const DEMO_SHOPPERS = [
  {
    username: 'ada@example.com',
    email: 'ada@example.com',
    name: 'Ada',
    accounts: [{ name: 'Fernley Boatworks' }],
  },
  { username: 'grace@example.com', email: 'grace@example.com', name: 'Grace', accounts: companies() },
]

/** The catalog of the simulated store. */
export const DEMO_PRODUCTS = [
  { sku: 'rope', name: 'Mooring rope', description: '14 mm polyester, 50 m', price: 8600 },
  { sku: 'lamp', name: 'Deck lamp', description: 'Brass, LED, 2 nautical miles', price: 14_200, stock: 12 },
  { sku: 'buoy', name: 'Marker buoy', description: '40 cm, with its own light', price: 6400 },
]

/** A simulated store on this machine. It delivers codes to the shop's webhook. */
export async function startDemoStore(webhookUrl: URL) {
  const webhookSecret = randomBytes(24).toString('hex')
  const simulator = await ElasticPathSimulator.start({
    members: DEMO_SHOPPERS,
    products: DEMO_PRODUCTS,
    currency: 'GBP',
    webhook: { url: webhookUrl.href, secretKey: webhookSecret },
  })
  return {
    simulator,
    store: { clientId: simulator.clientId, baseUrl: new URL(simulator.url), webhookSecret },
  }
}

function companies() {
  const places = `Alderney Ashby Brindle Carrick Dunmore Eastlake Fairhaven Glenmore Hartwell Inverness Kestrel Langley
    Marlow Northgate Oakham Penrose Quayside Rosslyn Seaton Thornbury Ulverston Verwood Westray Yarmouth Zennor`
  const trades = 'Boatworks Chandlers Fisheries Freight Marine Rigging Sailmakers Shipwrights Towage Yards'
  return places
    .split(/\s+/)
    .flatMap((place) => trades.split(' ').map((trade) => ({ name: `${place} ${trade}` })))
}
