import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EnvFile } from '../../lib/cli/env-file'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'env-file-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const path = () => join(folder, '.env')

test.each(['plain-1:/@+', 'with a space', "it's", `it's "quoted"`, '#5', 'a=b', '$HOME', 'back\\slash', ''])(
  'the value %j is read back as it was written',
  async (value) => {
    await (await EnvFile.open(folder)).write({ BEFORE: 'x', NAME: value, AFTER: 'y' })

    const { values } = await EnvFile.open(folder)
    expect(values).toEqual({ BEFORE: 'x', ...(value !== '' && { NAME: value }), AFTER: 'y' })
  },
)

test('a value with every kind of quotes is refused, and the file stays as it is', async () => {
  writeFileSync(path(), 'OTHER=1\n')
  const file = await EnvFile.open(folder)

  await expect(file.write({ NAME: `'"\`` })).rejects.toThrow('A line of .env cannot hold the value of NAME.')
  expect(readFileSync(path(), 'utf8')).toBe('OTHER=1\n')
})

test('a line that is replaced keeps its export', async () => {
  writeFileSync(path(), '# of the shop\nexport NAME=old\nOTHER=1')

  await (await EnvFile.open(folder)).write({ NAME: 'new', MORE: '2' })

  expect(readFileSync(path(), 'utf8')).toBe('# of the shop\nexport NAME=new\nOTHER=1\nMORE=2\n')
})
