/**
 * What the simulator says: a story without an end, the same for the same name and seed. Each token is a space and a
 * lower-case word that together are exactly one o200k_base token, so any prefix of the text counts as it was sent.
 */

/** The story's tokens, from the first. */
export function* storyTokens(name: string, seed: number): Generator<string, never> {
  const random = createRandom(`${name} ${seed}`)
  for (const word of OPENING) yield ` ${word}`
  for (;;) {
    for (const part of pick(CLAUSES, random)) yield ` ${isWordClass(part) ? pick(WORDS[part], random) : part}`
  }
}

export interface Continuation {
  /** How many whole tokens had been said. */
  readonly said: number
  readonly rest: Generator<string, never>
}

/**
 * The story after `said`, where `said` is the beginning of it; if it ends within a word, the rest of that word is the
 * next token. Anything else is not the simulator's own, and it tells its story from the start.
 */
export function continueStory(name: string, seed: number, said: string): Continuation {
  const story = storyTokens(name, seed)
  let at = 0
  for (let tokens = 0; ; tokens++) {
    if (at === said.length) return { said: tokens, rest: story }
    const token = story.next().value
    if (said.startsWith(token, at)) at += token.length
    else if (token.startsWith(said.slice(at)))
      return { said: tokens, rest: after(token.slice(said.length - at), story) }
    else return { said: 0, rest: storyTokens(name, seed) }
  }
}

function* after(first: string, rest: Generator<string, never>): Generator<string, never> {
  yield first
  return yield* rest
}

/** Numbers from 0 up to 1, the same for the same text: FNV-1a to begin with, mulberry32 to go on. */
export function createRandom(text: string): () => number {
  let state = 0x811c9dc5
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)]!
}

function isWordClass(part: string): part is keyof typeof WORDS {
  return Object.hasOwn(WORDS, part)
}

const OPENING = "once upon a time".split(" ")

/** Upper case stands for any word of that class. */
const CLAUSES = [
  "THE ADJECTIVE NOUN WALKED PLACE the ADJECTIVE NOUN and",
  "THE NOUN SAW THE ADJECTIVE NOUN WHILE",
  "in the NOUN there was a silver NOUN and",
  "THE NOUN WALKED ADVERB WHILE",
  "SOMEBODY WALKED PLACE the NOUN so",
  "SOMEBODY SAW THE NOUN WHILE",
  "SOMEBODY ADVERB SAW THE ADJECTIVE NOUN and",
  "at last THE NOUN WALKED ADVERB and",
  "THE ADJECTIVE NOUN SAW THE NOUN WHILE",
  "then SOMEBODY WALKED ADVERB and",
  "with THE ADJECTIVE NOUN came THE NOUN of the NOUN and",
].map((clause) => clause.split(" "))

const WORDS = {
  THE: words("the the the one every this that another each some his her their our"),
  SOMEBODY: words("she he they we everyone nobody somebody"),
  WHILE: words("and but then so while because until when where although before after since and but"),
  PLACE:
    words(`across behind beside under over through near beyond around toward past above below inside outside along
    between against within without`),
  ADVERB:
    words(`slowly quietly softly suddenly often always never again together alone forever soon early late
    carefully gently happily quickly finally once almost everywhere somewhere away home far`),
  WALKED:
    words(`walked ran looked waited slept sang danced laughed smiled listened whispered wandered turned moved stood
    sat rested worked played jumped climbed traveled sailed flew fell rose hid stayed lived dreamed shouted cried spoke
    knocked returned vanished appeared arrived stopped paused passed hurried marched rode rolled stared watched woke grew
    leaned`),
  SAW: words(`found saw heard remembered followed carried loved opened closed painted built kept lost forgot met helped
    thanked called knew wanted missed touched lifted visited chased guarded caught left trusted crossed discovered feared
    held hugged noticed pulled pushed reached saved shared sold bought taught understood`),
  ADJECTIVE:
    words(`old young small great quiet bright dark warm cold gentle brave clever curious happy lonely proud
    silent strange sudden sweet tall tiny wild wise golden silver green blue red white black grey hidden secret empty
    broken heavy light deep narrow wide ancient honest patient humble kind lucky noble playful restless sleepy soft steady
    stubborn tender weary wooden stone distant endless familiar famous fine fresh frozen dusty muddy sunny windy rainy
    snowy friendly hungry merry modest nervous plain polite pretty quick rare rough round sharp shy simple slow smooth
    solid still thin worn`),
  NOUN: words(`river mountain forest village king queen child sailor lantern garden house door window road bridge ship
    harbor island storm cloud star moon sun morning evening winter summer spring autumn bird horse wolf bear cat dog mouse
    owl fish tree flower leaf stone hill valley field meadow lake sea shore wind rain snow fire candle book letter song
    story dream key clock bell tower castle market baker farmer doctor teacher student painter poet singer soldier traveler
    stranger friend brother sister mother father grandmother uncle cousin neighbor merchant thief giant dragon wizard witch
    ghost shadow mirror map coin ring sword crown apple bread honey table chair kitchen cottage barn path gate wall roof
    well boat train wagon basket blanket coat hat boot shoe glove needle thread drum fiddle flute piano violin rabbit goose
    duck crow bee butterfly spider turtle frog whale seal pond stream desert cave cliff beach port town city street square
    school church library shop inn`),
} as const

/** Every word that a story can hold. */
export const STORY_WORDS: readonly string[] = [
  ...new Set([
    ...OPENING,
    ...CLAUSES.flat().filter((part) => !isWordClass(part)),
    ...Object.values(WORDS).flat(),
  ]),
]

function words(list: string): readonly string[] {
  return list.split(/\s+/)
}
