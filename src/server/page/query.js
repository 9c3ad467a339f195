// The question: a row of chips. The address of the page is the whole question, but for pictures from this computer.
import { thumbnail } from './api.js';
import { make, say } from './words.js';

export const empty = () => ({ gallery: '', chips: [], filter: '', dedupe: true, find: '', weight: 0.5 });

// A chip is { kind: 'word' | 'not' | 'like' | 'file', text | key | file }.
export const read = () => {
  const address = new URLSearchParams(location.search);
  const question = empty();
  question.gallery = address.get('gallery') || '';
  question.filter = address.get('filter') || '';
  question.dedupe = address.get('dedupe') !== 'no';
  question.find = address.get('find') || '';
  question.weight = Number(address.get('weight') || 0.5);
  address.getAll('q').forEach((text) => question.chips.push({ kind: 'word', text }));
  address.getAll('not').forEach((text) => question.chips.push({ kind: 'not', text }));
  address.getAll('like').forEach((key) => /^\d+$/.test(key) && question.chips.push({ kind: 'like', key: Number(key) }));
  return question;
};

export const address = (question) => {
  const parts = new URLSearchParams();
  if (question.gallery) parts.set('gallery', question.gallery);
  const names = { word: 'q', not: 'not', like: 'like' };
  question.chips.forEach((chip) => names[chip.kind] && parts.append(names[chip.kind], chip.key ?? chip.text));
  if (question.filter) parts.set('filter', question.filter);
  if (!question.dedupe) parts.set('dedupe', 'no');
  if (question.find) parts.set('find', question.find);
  if (question.weight !== 0.5) parts.set('weight', question.weight);
  const text = parts.toString();
  return text ? `?${text}` : location.pathname;
};

// "狗 海边 -猫" becomes two chips: the words as they are, and the one that is not wanted.
export const chipsOf = (text) => {
  const chips = [];
  const wanted = text.split(/\s+/).filter((word) => {
    const not = /^[-－](.+)/.exec(word);
    if (not) chips.push({ kind: 'not', text: not[1] });
    return !not;
  });
  const sentence = wanted.join(' ').trim();
  return sentence ? [{ kind: 'word', text: sentence }, ...chips] : chips;
};

const of = (question, kind) => question.chips.filter((chip) => chip.kind === kind);
export const files = (question) => of(question, 'file').map((chip) => chip.file);
export const hasPicture = (question) => question.chips.some((c) => c.kind === 'file' || c.kind === 'like');
export const hasWords = (question) => question.chips.some((c) => c.kind === 'word');
export const isEmpty = (question) => !hasPicture(question) && !hasWords(question);

// Where the picture of a chip is seen.
const source = (question, chip) => (chip.file
  ? (chip.url ??= URL.createObjectURL(chip.file))
  : thumbnail(question.gallery, chip.key));
export const picture = (question) => {
  const chip = of(question, 'file')[0] || of(question, 'like')[0];
  return chip && source(question, chip);
};

// What the server is asked.
export const request = (question) => ({
  ...(question.gallery && { gallery: question.gallery }),
  text: of(question, 'word').map((c) => c.text).join(' '),
  not: of(question, 'not').map((c) => c.text),
  like: of(question, 'like').map((c) => c.key),
  find: question.find || 'pictures',
  weights: { text: 1 - question.weight, image: question.weight },
  ...(question.filter && { filter: question.filter }),
  dedupe: question.dedupe,
  explain: true,
});

// Draws the chips; `change` is called with the question after a change.
export const draw = (list, question, change) => {
  const without = (chip) => ({ ...question, chips: question.chips.filter((c) => c !== chip) });
  const both = hasPicture(question) && hasWords(question);
  let weighted = false;
  list.replaceChildren(...question.chips.map((chip) => {
    const isPicture = chip.kind === 'file' || chip.kind === 'like';
    const name = chip.text ?? chip.file?.name ?? `${say('picture')} ${chip.key}`;
    const weigh = isPicture && both && !weighted && make('input', {
      type: 'range', min: 0, max: 1, step: 0.1, value: question.weight, 'aria-label': `${say('weight')}: ${say('picture')}`,
      onchange: (event) => change({ ...question, weight: Number(event.target.value) }),
    });
    weighted ||= Boolean(weigh);
    return make('li', { class: `chip ${chip.kind}` },
      isPicture && make('img', { src: source(question, chip), alt: name }),
      !isPicture && make('span', {}, (chip.kind === 'not' ? '−' : '') + name),
      weigh,
      make('button', { type: 'button', 'aria-label': `${say('remove')}: ${name}`, onclick: () => change(without(chip)) }, '×'));
  }));
};
