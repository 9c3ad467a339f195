// What the page says, in both languages.
const WORDS = {
  en: {
    title: 'Search pictures', ask: 'Describe a picture, -word excludes…', pick: '+ Picture', go: 'Search',
    more: 'Filter and more', filter: 'Filter', dedupe: 'Show near-copies once', gallery: 'Gallery', language: '中文',
    keys: 'Keys', drop: 'Drop pictures to search with them', loading: 'Searching…',
    welcome: 'Find pictures with a sentence', hint: 'Type what a picture shows, or drop, paste or choose a picture.',
    holds: (n, texts) => `${n} pictures, ${texts} texts`, few: 'The answers below this line are probably wrong',
    none: 'Nothing was found', nonehint: 'Try other words, fewer conditions, or a picture.',
    found: (n, all) => `${n} shown of ${all} searched`, error: 'That did not work', offline: 'The server does not answer', retry: 'Try again',
    similar: 'Similar pictures', texts: 'Sentences', copies: 'Copies', next: 'More', close: 'Close', file: 'Open file', why: 'Why this picture',
    remove: 'Remove', asked: 'The picture you asked with', add: '+ Add pictures to the gallery', adding: (n) => `Adding ${n} pictures…`, removing: 'Removing…', takeout: 'Remove from gallery', sure: (id) => `Remove ${id} from the gallery?`, weight: 'weight', picture: 'picture', include: 'add', exclude: 'exclude', gone: 'cannot be shown',
    parts: 'What the score consists of', matched: 'Words that match', pulled: 'Words of the query that found it', incaption: 'in a caption', inlines: (n) => `in ${n} lines of the picture`,
    samebytes: 'The same file, byte for byte', inliers: (n, m) => `${n} keypoints agree${m ? ', mirrored' : ''}`, chance: (e) => `by chance: one picture in 10^${e}`,
    scaled: (p) => `the query is scaled to ${p} % of its size`, turned: (d) => `turned by ${d}°`, unmoved: 'neither scaled nor turned',
    stack: (n) => `${n} near-copies`, size: 'Size', taken: 'Taken', camera: 'Camera', folder: 'Folder', tags: 'Tags', captions: 'Captions', keywords: 'Words for this picture', usekeywords: 'Search with', login: 'This server needs a key', key: 'Key', enter: 'Enter', likely: 'probability of being right', results: 'Answers', options: 'What to find',
    help: [['/', 'go to the search box'], ['← →', 'picture before, next'], ['s', 'similar pictures'], ['c', 'copies'], ['t', 'sentences'], ['i', 'information: why, captions, facts'], ['Esc', 'close'], ['?', 'this list']],
  },
  zh: {
    title: '搜索图片', ask: '用一句话描述图片，-词 表示排除…', pick: '+ 图片', go: '搜索',
    more: '筛选与更多', filter: '筛选', dedupe: '近似重复只显示一张', gallery: '图库', language: 'English',
    keys: '快捷键', drop: '松开鼠标，用图片搜索', loading: '正在搜索…',
    welcome: '用一句话找图片', hint: '输入图片的内容，或拖入、粘贴、选择一张图片。',
    holds: (n, texts) => `${n} 张图片，${texts} 条文本`, few: '此线以下的结果多半不对',
    none: '没有找到结果', nonehint: '换一些词，减少条件，或用图片试试。',
    found: (n, all) => `显示 ${n} 条，共检索 ${all} 条`, error: '出错了', offline: '服务器没有响应', retry: '重试',
    similar: '相似图片', texts: '句子', copies: '副本', next: '更多', close: '关闭', file: '打开原图', why: '为什么是这张',
    remove: '移除', asked: '查询图片', add: '+ 添加图片到图库', adding: (n) => `正在添加 ${n} 张图片…`, removing: '正在移除…', takeout: '从图库移除', sure: (id) => `从图库移除 ${id}？`, weight: '权重', picture: '图片', include: '加入', exclude: '排除', gone: '无法显示',
    parts: '得分的构成', matched: '匹配的词', pulled: '起作用的查询词', incaption: '在说明中', inlines: (n) => `在图片的 ${n} 行文字中`,
    samebytes: '文件逐字节相同', inliers: (n, m) => `${n} 个关键点一致${m ? '，镜像' : ''}`, chance: (e) => `偶然概率：10^${e} 张图片中一张`,
    scaled: (p) => `查询图片缩放到 ${p} %`, turned: (d) => `旋转 ${d}°`, unmoved: '没有缩放或旋转',
    stack: (n) => `${n} 张近似图`, size: '尺寸', taken: '拍摄时间', camera: '相机', folder: '文件夹', tags: '标签', captions: '说明', keywords: '适合这张图片的词', usekeywords: '加入搜索', login: '此服务器需要密钥', key: '密钥', enter: '进入', likely: '正确的概率', results: '结果', options: '查找什么',
    help: [['/', '跳到搜索框'], ['← →', '上一张、下一张'], ['s', '相似图片'], ['c', '副本'], ['t', '句子'], ['i', '信息：原因、说明、属性'], ['Esc', '关闭'], ['?', '本列表']],
  },
};

let language = localStorage.getItem('language') || (navigator.language.startsWith('zh') ? 'zh' : 'en');

export const say = (name, ...values) => {
  const word = WORDS[language][name];
  return typeof word === 'function' ? word(...values) : word;
};
export const switchLanguage = () => {
  language = language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', language);
};
export const languageCode = () => (language === 'zh' ? 'zh-CN' : 'en');

// An element with attributes and children; text is always text.
export const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((c) => c != null && c !== false));
  return element;
};
export const percent = (p) => (p >= 0.095 ? `${Math.round(100 * p)} %` : `${(100 * p).toFixed(1)} %`);
