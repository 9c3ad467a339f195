// The search page in Chromium: node page.cjs TUWEN FOLDER [GALLERY]. Every state, key and way to ask; axe; no request to
// another host; no script error. Screenshots go to FOLDER/shots. Without GALLERY one is made of committed pictures.
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { AxeBuilder } = require('@axe-core/playwright');

const [tuwen, folder, given] = process.argv.slice(2);
const root = path.resolve(__dirname, '../..');
const shots = path.resolve(folder, 'shots');
fs.rmSync(shots, { recursive: true, force: true });
fs.mkdirSync(shots, { recursive: true });

const failures = [];
const check = (holds, what) => {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) failures.push(what);
};

// A gallery of the committed pairs, with captions.
const madeGallery = () => {
  const work = path.resolve(folder, 'work');
  const [model, gallery, photos] = ['m.tuwen', 'g', 'photos'].map((name) => path.join(work, name));
  fs.rmSync(gallery, { recursive: true, force: true });
  fs.mkdirSync(photos, { recursive: true });
  const data = path.join(root, 'tests/fixtures/attachments');
  if (!fs.existsSync(model)) execFileSync(tuwen, ['fit', '--data', data, '--work', work, '--recipe', 'card.toml', '--model', model]);
  for (const n of [2, 3]) {
    const from = path.join(data, `attachment${n}/ImageData`);
    fs.readdirSync(from).forEach((f) => fs.copyFileSync(path.join(from, f), path.join(photos, f)));
  }
  execFileSync(tuwen, ['index', photos, '--gallery', gallery, '--model', model]);
  return { gallery, sentence: '红色的圆', picture: path.join(photos, fs.readdirSync(photos)[0]) };
};

// The same picture in a file of other bytes.
const copied = (picture) => {
  const copy = path.join(folder, `copy-${path.basename(picture)}`);
  fs.writeFileSync(copy, Buffer.concat([fs.readFileSync(picture), Buffer.from('a copy')]));
  return copy;
};

const serve = (gallery, more = []) => new Promise((resolve) => {
  const child = spawn(tuwen, ['serve', '--gallery', gallery, '--port', '0', ...more]);
  child.stdout.once('data', (line) => resolve({ child, origin: String(line).trim().replace(/\/$/, '') }));
});

const settled = (page) => page.waitForFunction(() => document.querySelectorAll('#results > .grid[aria-hidden]').length === 0 && document.getElementById('status').textContent !== '');
const hits = (page) => page.locator('#results .hit').count();

const main = async () => {
  const { gallery, sentence, picture } = given
    ? { gallery: given, sentence: process.env.SENTENCE || '海边奔跑的狗', picture: process.env.PICTURE }
    : madeGallery();
  const server = await serve(gallery);
  const copy = copied(picture);
  const { origin } = server;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const errors = [];
  const strangers = [];
  const opened = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-US', ...options });
    const page = await context.newPage();
    page.on('pageerror', (e) => errors.push(String(e)));
    page.on('console', (m) => m.type() === 'error' && !/429|Failed to load resource/.test(m.text()) && errors.push(m.text()));
    page.on('request', (r) => { if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url())) strangers.push(r.url()); });
    return page;
  };
  const axe = async (page, name) => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    check(!violations.length, `axe: ${name}${violations.map((v) => `\n     ${v.id}: ${v.nodes[0].html} ${v.nodes[0].failureSummary}`).join('')}`);
    await page.screenshot({ path: path.join(shots, `${name}.png`) });
  };

  const page = await opened();
  const began = Date.now();
  await page.goto(`${origin}/`);
  const paint = await page.evaluate(() => new Promise((done) => {
    const seen = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    const wait = () => (seen() ? done(seen()) : setTimeout(wait, 10));
    wait();
  }));
  console.log(`     first paint after ${paint.toFixed(0)} ms (${Date.now() - began} ms with the start of the tab)`);
  await page.waitForSelector('.empty');
  await axe(page, 'empty');

  // a sentence
  const start = await page.evaluate(() => performance.now());
  await page.fill('#text', sentence);
  await page.press('#text', 'Enter');
  await page.waitForSelector('#results .hit img');
  await settled(page);
  console.log(`     answer on the screen after ${(await page.evaluate(() => performance.now()) - start).toFixed(0)} ms`);
  check(await hits(page) > 3, 'a sentence finds pictures');
  check((await page.locator('#chips .chip').count()) === 1, 'it is a chip');
  check(new URL(page.url()).searchParams.get('q') === sentence, 'the address is the question');
  await page.waitForLoadState('networkidle');
  await axe(page, 'pictures');
  const first = await page.locator('.hit').first().getAttribute('data-key');

  // chips: exclude, remove; back and forward
  await page.fill('#text', '-猫');
  await page.press('#text', 'Enter');
  await settled(page);
  check((await page.locator('.chip.not').count()) === 1, '-word excludes');
  await page.locator('.chip.not button').click();
  await settled(page);
  check((await page.locator('.chip').count()) === 1, 'a chip can be removed');
  await page.goBack();
  await settled(page);
  check((await page.locator('.chip.not').count()) === 1, 'back brings it again');
  await page.goForward();
  await settled(page);

  // a filter, right and wrong
  await page.locator('#more summary').click();
  await page.fill('#filter', 'width > 100000');
  await page.press('#filter', 'Enter');
  await page.waitForSelector('.empty');
  await axe(page, 'nothing');
  await page.fill('#filter', 'width >');
  await page.press('#filter', 'Enter');
  await page.waitForSelector('#status.bad');
  check(/character/.test(await page.textContent('#status')), 'a filter that cannot be read is told of');
  await axe(page, 'error');
  await page.fill('#filter', '');
  await page.press('#filter', 'Enter');
  await page.waitForSelector('#results .hit img');
  await settled(page);

  // the viewer and its keys
  await page.locator('.hit').first().click();
  await page.waitForSelector('#viewer[open] .info table');
  await page.waitForLoadState('networkidle');
  await axe(page, 'viewer');
  const name = () => page.textContent('#viewer .name');
  const [one] = [await name()];
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((before) => document.querySelector('#viewer .name').textContent !== before, one);
  check(true, '→ shows the next picture');
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction((before) => document.querySelector('#viewer .name').textContent === before, one);
  check(true, '← shows the one before');
  await page.keyboard.press('i');
  check(await page.locator('#viewer .info').isHidden(), 'i hides the information');
  await page.keyboard.press('i');
  await page.keyboard.press('Escape');
  check(!(await page.evaluate(() => document.getElementById('viewer').open)), 'Esc closes');
  await page.locator('.hit').first().click();
  await page.waitForSelector('#viewer[open]');
  await page.keyboard.press('s');
  await page.waitForSelector('#tabs:not([hidden])');
  await page.waitForSelector('#results .hit img');
  await settled(page);
  check((await page.locator(`.hit[data-key="${first}"]`).count()) === 0, 's finds similar pictures, without the picture itself');
  await page.waitForSelector('#keywords .word');
  await page.waitForLoadState('networkidle');
  await axe(page, 'similar');
  await page.locator('#tabs button').nth(1).click();
  await page.waitForSelector('.sentences li');
  await axe(page, 'sentences');
  await page.locator('#tabs button').nth(2).click();
  await settled(page);
  await axe(page, 'copies');
  await page.locator('#keywords .word button').first().click();
  await settled(page);
  check((await page.locator('.chip.word').count()) === 1, 'a word that fits is added');
  check((await page.locator('.chip input[type=range]').count()) === 1, 'word and picture are weighed');
  await page.locator('.chip input[type=range]').fill('0.9');
  await settled(page);
  check(new URL(page.url()).searchParams.get('weight') === '0.9', 'the weight is in the address');

  // help, search box, languages
  await page.locator('body').click({ position: { x: 5, y: 400 } });
  await page.keyboard.press('?');
  await page.waitForSelector('#help[open]');
  await axe(page, 'help');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  check(await page.evaluate(() => document.activeElement.id === 'text'), '/ goes to the box');
  await page.locator('#language').click();
  await settled(page);
  check((await page.getAttribute('html', 'lang')) === 'zh-CN', 'the page speaks Chinese');
  await axe(page, 'chinese');
  await page.locator('#language').click();

  // pictures by file, by drop, by paste
  const bytes = fs.readFileSync(picture).toString('base64');
  const fresh = async () => { const p = await opened(); await p.goto(`${origin}/`); await p.waitForSelector('.empty'); return p; };
  const byFile = await fresh();
  await byFile.setInputFiles('#file', picture);
  await byFile.waitForSelector('#results .hit img');
  check((await byFile.locator('.chip.file img').count()) === 1, 'a picture can be chosen');
  const hand = (kind) => async ([data, type]) => {
    const raw = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([raw], 'a.png', { type }));
    const event = kind === 'drop'
      ? new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
  };
  const type = picture.endsWith('.jpg') ? 'image/jpeg' : 'image/png';
  for (const kind of ['drop', 'paste']) {
    const p = await fresh();
    await p.evaluate(`(${hand(kind).toString().replace(/kind ===/g, `'${kind}' ===`)})(${JSON.stringify([bytes, type])})`);
    await p.waitForSelector('#results .hit img');
    check((await p.locator('.chip.file').count()) === 1, `a picture can be asked with by ${kind}`);
    await p.close();
  }
  const dragged = await fresh();
  await dragged.evaluate(() => document.body.dispatchEvent(new DragEvent('dragover', { bubbles: true, cancelable: true })));
  check(await dragged.locator('#drop').isVisible(), 'the page says that pictures can be dropped');

  // a shared address, a small screen, the dark
  const shared = await opened({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await shared.goto(`${origin}/?q=${encodeURIComponent(sentence)}`);
  await shared.waitForSelector('#results .hit img');
  await settled(shared);
  await shared.waitForLoadState('networkidle');
  check(await shared.evaluate(() => document.documentElement.scrollWidth <= innerWidth), '360 pixels are enough');
  await axe(shared, 'small-dark');

  // loading, busy, offline
  const slow = await opened();
  await slow.route('**/v1/search', async (route) => { await new Promise((r) => setTimeout(r, 1500)); await route.continue(); });
  await slow.goto(`${origin}/?q=${encodeURIComponent(sentence)}`);
  await slow.waitForSelector('.grid[aria-hidden]');
  await axe(slow, 'loading');
  await slow.waitForSelector('#results .hit img');
  await slow.route('**/v1/search', (route) => route.abort());
  await slow.fill('#text', 'x');
  await slow.press('#text', 'Enter');
  await slow.waitForSelector('#status.bad');
  await axe(slow, 'offline');

  // a picture is added, its copy found, both shown side by side, and it is removed again
  const owner = await opened();
  owner.on('dialog', (dialog) => dialog.accept());
  await owner.goto(`${origin}/`);
  await owner.waitForSelector('.empty');
  await owner.locator('#more summary').click();
  await axe(owner, 'options');
  const said = (text) => owner.waitForFunction((t) => document.getElementById('status').textContent.includes(t), text);
  await owner.setInputFiles('#new', copy);
  await said('1 added');
  check(true, 'a picture can be added');
  await owner.setInputFiles('#file', picture);
  await owner.waitForSelector('#tabs:not([hidden])');
  await owner.locator('#tabs button').nth(2).click();
  const uploaded = owner.locator('#results .hit[title^="/uploads/"]');
  await uploaded.waitFor();
  await settled(owner);
  await uploaded.click();
  await owner.waitForSelector('#viewer .pair line', { state: 'attached' });
  await owner.waitForLoadState('networkidle');
  check((await owner.locator('#viewer .pair line').count()) >= 4, 'keypoints of a copy are joined');
  await axe(owner, 'pair');
  await owner.locator('#viewer .remove').click();
  await said('1 removed');
  check((await uploaded.count()) === 0, 'a picture can be removed');

  const docs = await opened();
  await docs.goto(`${origin}/docs`);
  await axe(docs, 'docs');

  // a server with keys
  const keys = path.join(folder, 'keys.txt');
  fs.writeFileSync(keys, 'read page-test-0123456789\n');
  const locked = await serve(gallery, ['--api-key-file', keys]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const guest = await context.newPage();
  await guest.goto(`${locked.origin}/?q=${encodeURIComponent(sentence)}`);
  await guest.waitForSelector('#login[open]');
  await axe(guest, 'login');
  await guest.fill('#login input', 'page-test-0123456789');
  await guest.press('#login input', 'Enter');
  await guest.waitForSelector('#results .hit img');
  await guest.waitForFunction(() => [...document.querySelectorAll('.hit img')].some((i) => i.naturalWidth > 0));
  check(true, 'with its key the page shows pictures');
  locked.child.kill();

  check(!strangers.length, `no request to another host ${strangers.join(' ')}`);
  check(!errors.length, `no error in scripts ${errors.join('\n     ')}`);
  await browser.close();
  server.child.kill();
  console.log(failures.length ? `${failures.length} failed` : `all passed; screenshots: ${shots}`);
  process.exit(failures.length ? 1 : 0);
};

main().catch((error) => { console.error(error); process.exit(1); });
