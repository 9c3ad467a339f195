// The page: a box, its chips, and what they find.
import * as api from './api.js';
import * as query from './query.js';
import * as results from './results.js';
import * as viewer from './viewer.js';
import { languageCode, make, percent, say, switchLanguage } from './words.js';

const $ = (id) => document.getElementById(id);
const PAGE = 40;
let question = query.read();
let hits = [];
let known = [];
let writable = false;
let asked = 0;

const status = (text, bad = false) => {
  $('status').textContent = text;
  $('status').classList.toggle('bad', bad);
};

const labels = () => {
  document.documentElement.lang = languageCode();
  document.title = query.isEmpty(question) ? `tuwen · ${say('title')}` : `${query.request(question).text || say('picture')} · tuwen`;
  $('text').placeholder = say('ask');
  $('text').setAttribute('aria-label', say('ask'));
  $('pick').querySelector('span').textContent = say('pick');
  $('file').setAttribute('aria-label', say('pick'));
  $('go').textContent = say('go');
  $('more').querySelector('summary').textContent = say('more');
  $('gallery').setAttribute('aria-label', say('gallery'));
  $('results').setAttribute('aria-label', say('results'));
  $('tabs').setAttribute('aria-label', say('options'));
  $('about').setAttribute('aria-label', say('more'));
  $('language').textContent = say('language');
  $('keys').setAttribute('aria-label', say('keys'));
  $('drop').querySelector('p').textContent = say('drop');
  document.querySelectorAll('[data-word]').forEach((e) => { e.textContent = say(e.dataset.word); });
};

const tabs = () => {
  const list = query.hasPicture(question) && !query.hasWords(question) ? ['pictures', 'texts', 'copies'] : [];
  const names = { pictures: 'similar', texts: 'texts', copies: 'copies' };
  $('tabs').hidden = !list.length;
  $('tabs').replaceChildren(...list.map((find) => make('button', {
    type: 'button', role: 'tab', 'aria-selected': String((question.find || 'pictures') === find),
    onclick: () => change({ ...question, find: find === 'pictures' ? '' : find }),
  }, say(names[find]))));
};

const welcome = () => {
  const gallery = known.find((g) => g.name === question.gallery);
  status('');
  results.message($('results'), say('welcome'), say('hint'), gallery && make('p', {}, say('holds', gallery.pictures, gallery.texts)));
};

const trouble = (error) => {
  if (error.name === 'AbortError') return;
  if (error.code === 'key-required') {
    status(say('login'), true);
    login();
    return;
  }
  const offline = error.code === 'offline';
  status(offline ? say('offline') : error.message, true);
  const again = make('button', { type: 'button', onclick: () => run() }, say('retry'));
  results.message($('results'), offline ? say('offline') : say('error'), error.message, again);
};

const draw = () => {
  labels();
  query.draw($('chips'), question, change);
  tabs();
  $('filter').value = question.filter;
  $('dedupe').checked = question.dedupe;
  $('more').open ||= Boolean(question.filter);
  if (known.length) $('gallery').value = question.gallery;
};

const show = (found, first) => {
  const texts = question.find === 'texts';
  if (!first) $('results').replaceChildren();
  $('results').querySelector('.more')?.remove();
  hits = first ? hits.concat(found.hits) : found.hits;
  if (!hits.length) {
    results.message($('results'), say('none'), say('nonehint'));
    status(say('none'));
    return;
  }
  if (texts) results.sentences($('results'), found.hits, found.good);
  else results.pictures($('results'), found.hits, found.good, first, (at) => open(at));
  if (found.next_cursor) {
    $('results').append(make('button', { type: 'button', class: 'more', onclick: () => ask(found.next_cursor, hits.length) }, say('next')));
  }
  status(say('found', hits.length, found.searched));
};

const ask = async (cursor, first) => {
  const turn = asked += 1;
  status(say('loading'));
  if (!first) results.waiting($('results'));
  try {
    const found = await api.search({ ...query.request(question), limit: PAGE, ...(cursor && { cursor }) }, query.files(question));
    if (turn === asked) show(found, first);
  } catch (error) {
    if (turn === asked) trouble(error);
  }
};

// Words that fit the picture that asks: each may be added or excluded.
const suggest = async () => {
  $('keywords').replaceChildren();
  if (!query.hasPicture(question)) return;
  const turn = asked;
  try {
    const request = { ...(question.gallery && { gallery: question.gallery }), like: query.request(question).like, limit: 8 };
    const { keywords } = await api.keywords(request, query.files(question).slice(0, 1));
    if (turn !== asked) return;
    const add = (kind, text) => change({ ...question, find: '', chips: [...question.chips, { kind, text }] });
    $('keywords').replaceChildren(...keywords.map(({ word, probability }) => make('span', { class: 'word' },
      make('button', { type: 'button', title: `${say('include')}: ${word}`, onclick: () => add('word', word) }, word, probability != null ? ` ${percent(probability)}` : ''),
      make('button', { type: 'button', 'aria-label': `${say('exclude')}: ${word}`, onclick: () => add('not', word) }, '−'))));
  } catch {
    // they are only suggestions
  }
};

const run = async () => {
  draw();
  if (query.isEmpty(question)) {
    asked += 1;
    $('keywords').replaceChildren();
    welcome();
    return;
  }
  const answered = ask(null, 0);
  suggest();
  await answered;
};

// A changed question is a new address, so that the browser's buttons go through all of them.
function change(next) {
  question = next;
  history.pushState({ chips: question.chips.map(({ url, ...chip }) => chip) }, '', query.address(question));
  if ($('viewer').open) $('viewer').close();
  run();
}

// Changes the gallery, and shows what became of it.
const alter = async (said, request) => {
  status(said);
  try {
    const { detail } = await api.outcome(await request());
    await meet();
    await run();
    status(detail);
  } catch (error) {
    status(error.code === 'offline' ? say('offline') : error.message, true);
  }
};

const go = (what, value) => {
  if (what === 'remove') {
    if (!window.confirm(say('sure', value.id))) return;
    $('viewer').close();
    question.chips = question.chips.filter((chip) => chip.key !== value.key);
    alter(say('removing'), () => api.remove(question.gallery, value.key));
    return;
  }

  if (what === 'step') {
    const at = viewer.place() + value;
    if (at >= 0 && at < hits.length) open(at);
    return;
  }
  const find = { similar: '', copies: 'copies', texts: 'texts' }[what];
  change({ ...query.empty(), gallery: question.gallery, find, chips: [{ kind: 'like', key: value.key }] });
};

function open(at) {
  viewer.open($('viewer'), hits, at, { gallery: question.gallery, asked: query.picture(question), writable }, go);
}

const addFiles = (list) => {
  const chips = [...list].filter((f) => f.type.startsWith('image/')).map((file) => ({ kind: 'file', file }));
  if (chips.length) change({ ...question, find: '', chips: [...question.chips, ...chips] });
};

const help = () => {
  const rows = say('help').map(([key, what]) => make('tr', {}, make('th', { scope: 'row' }, make('kbd', {}, key)), make('td', {}, what)));
  $('help').setAttribute('aria-label', say('keys'));
  $('help').replaceChildren(make('h2', {}, say('keys')), make('table', {}, make('tbody', {}, ...rows)),
    make('p', {}, make('a', { href: '/docs' }, 'API')), make('button', { type: 'button', onclick: () => $('help').close() }, say('close')));
  $('help').showModal();
};

function login() {
  const input = make('input', { type: 'password', autocomplete: 'current-password', 'aria-label': say('key'), required: true });
  const enter = async (event) => {
    event.preventDefault();
    api.useKey(input.value);
    $('login').close();
    start();
  };
  $('login').setAttribute('aria-label', say('login'));
  $('login').replaceChildren(make('form', { onsubmit: enter }, make('h2', {}, say('login')), input, ' ', make('button', { type: 'submit' }, say('enter'))));
  if (!$('login').open) $('login').showModal();
}

$('search').addEventListener('submit', (event) => {
  event.preventDefault();
  const chips = query.chipsOf($('text').value);
  $('text').value = '';
  const find = query.hasPicture(question) && chips.length ? '' : question.find;
  change({ ...question, find, chips: [...question.chips, ...chips] });
});
$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Backspace' && !event.target.value && question.chips.length) change({ ...question, chips: question.chips.slice(0, -1) });
});
$('pick').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); $('file').click(); }
});
$('file').addEventListener('change', (event) => { addFiles(event.target.files); event.target.value = ''; });
$('add').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); $('new').click(); }
});
$('new').addEventListener('change', (event) => {
  const files = [...event.target.files];
  event.target.value = '';
  if (files.length) alter(say('adding', files.length), () => api.add(question.gallery, files));
});
$('filter').addEventListener('change', (event) => change({ ...question, filter: event.target.value.trim() }));
$('dedupe').addEventListener('change', (event) => change({ ...question, dedupe: event.target.checked }));
$('gallery').addEventListener('change', (event) => change({ ...question, gallery: event.target.value, chips: question.chips.filter((c) => c.kind !== 'like') }));
$('language').addEventListener('click', () => { switchLanguage(); run(); });
$('keys').addEventListener('click', help);

addEventListener('paste', (event) => {
  if (event.clipboardData?.files.length) { event.preventDefault(); addFiles(event.clipboardData.files); }
});
addEventListener('dragover', (event) => { event.preventDefault(); $('drop').hidden = false; });
addEventListener('dragleave', (event) => { if (!event.relatedTarget) $('drop').hidden = true; });
addEventListener('drop', (event) => { event.preventDefault(); $('drop').hidden = true; addFiles(event.dataTransfer.files); });
addEventListener('popstate', (event) => {
  question = query.read();
  if (event.state?.chips) question.chips = event.state.chips;
  question.gallery ||= known[0]?.name || '';
  if ($('viewer').open) $('viewer').close();
  run();
});
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) return;
  const viewing = $('viewer').open;
  const hit = hits[viewer.place()];
  const actions = {
    '/': () => !viewing && $('text').focus(), '?': help, ArrowLeft: () => viewing && go('step', -1), ArrowRight: () => viewing && go('step', 1),
    s: () => viewing && go('similar', hit), c: () => viewing && go('copies', hit), t: () => viewing && go('texts', hit), i: () => viewing && viewer.toggle($('viewer')),
  };
  if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
});

const meet = async () => {
  const { galleries, read_only: readOnly } = await api.galleries();
  known = galleries;
  writable = !readOnly;
  $('add').hidden = readOnly;
};

const start = async () => {
  labels();
  try {
    await meet();
    $('gallery').replaceChildren(...known.map((g) => make('option', { value: g.name }, g.name)));
    $('gallery').hidden = known.length < 2;
    question.gallery ||= known[0]?.name || '';
    run();
  } catch (error) {
    trouble(error);
  }
};
start();
