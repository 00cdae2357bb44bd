import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
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

test.each([
  [
    'keeps its export',
    "# it's a shop\nexport NAME=old\nOTHER=1",
    "# it's a shop\nexport NAME=new\nOTHER=1\n",
  ],
  ['may be indented', ' \t NAME \t = \t old # comment\nOTHER=1\n', 'NAME=new\nOTHER=1\n'],
  ['keeps the other end of its line', 'NAME="old"\r\nOTHER=1\r\n', 'NAME=new\r\nOTHER=1\r\n'],
  ['may be there twice', 'NAME=old\nNAME=older\n', 'NAME=new\nNAME=new\n'],
  ['may be empty', 'NAME=\nOTHER=1\n', 'NAME=new\nOTHER=1\n'],
  ['may span several lines', 'NAME="old\nlines\n" # of the shop\nOTHER=1\n', 'NAME=new\nOTHER=1\n'],
  ['may have single quotes', "NAME='old\n\"lines' \nOTHER=1\n", 'NAME=new\nOTHER=1\n'],
  ['may have backticks', 'NAME=`old\nlines`\nOTHER=1\n', 'NAME=new\nOTHER=1\n'],
  ['may have a quote that never ends', 'NAME="old\nOTHER=1\n', 'NAME=new\nOTHER=1\n'],
  ['may be empty in a file with more lines', 'OTHER=1\nexport \t NAME=', 'OTHER=1\nexport \t NAME=new\n'],
])('an entry that is replaced %s', async (_, before, after) => {
  writeFileSync(path(), before)

  await (await EnvFile.open(folder)).write({ NAME: 'new', MORE: '2' })

  expect(readFileSync(path(), 'utf8')).toBe(`${after}MORE=2\n`)
})

test.each([
  'KEY="first\nNAME=x\nlast"\n',
  '#NAME=x\n',
  'MY_NAME=x\n',
  'NAMES=x\n',
  'KEY=NAME=x\n',
  '=NAME=x\n',
])('the file %j has no entry of the name, so a line is added', async (before) => {
  writeFileSync(path(), before)

  await (await EnvFile.open(folder)).write({ NAME: 'new' })

  expect(readFileSync(path(), 'utf8')).toBe(`${before}NAME=new\n`)
})

test('empty values count as missing', async () => {
  writeFileSync(path(), 'A=\nB="  "\nC=" c "\n')

  expect((await EnvFile.open(folder)).values).toEqual({ C: ' c ' })
})

test('a file that cannot be read is reported', async () => {
  mkdirSync(path())

  await expect(EnvFile.open(folder)).rejects.toMatchObject({
    message: `${path()} cannot be read (EISDIR).`,
    fix: 'Check its permissions.',
  })
})

test('a file that cannot be replaced is reported, and no temporary file remains', async () => {
  const file = await EnvFile.open(folder)
  mkdirSync(path())

  await expect(file.write({ NAME: 'new' })).rejects.toMatchObject({
    message: `${path()} cannot be written (EISDIR).`,
    fix: 'Check the permissions of the folder, or pass --no-write-env to print the lines instead.',
  })
  rmdirSync(path())
  expect(readdirSync(folder)).toEqual([])
})
