// @ts-check
/**
 * The ruler of event ids: a tick for each event, where its id says, in the tone of the connection that brought it. An
 * event that is missing leaves its tick faint.
 *
 * @import { Part } from "./tally.js"
 */

const WIDEST = 8
const TICK = { plain: 11, fifth: 15, named: 21 }
/** Names of ticks are this far apart at least. */
const APART = 46
const TONES = ["--tone-1", "--tone-2", "--tone-3"]

/** @param {HTMLCanvasElement} canvas */
export function createRuler(canvas) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  /** @type {readonly Part[]} */
  let shown = []
  new ResizeObserver(paint).observe(canvas)
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint)

  return {
    /** @param {readonly Part[]} parts */
    draw(parts) {
      shown = parts
      paint()
    },
    /** For those who cannot see it. */
    describe() {
      canvas.setAttribute("aria-label", describeParts(shown))
    },
  }

  function paint() {
    const { clientWidth: width, clientHeight: height } = canvas
    const ratio = devicePixelRatio
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    pen.scale(ratio, ratio)
    const style = getComputedStyle(canvas)
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name)
    const { pitch, step } = scaleOf(width, shown.at(-1)?.to ?? 0)

    pen.font = `11px ${colour("--mono")}`
    pen.textAlign = "center"
    pen.textBaseline = "bottom"
    for (let id = 1; id * pitch <= width; id++) tick(id, colour("--faint"))
    shown.forEach(({ from, to }, index) => {
      const tone = colour(TONES[Math.min(index, 1 + ((index + 1) % 2))] ?? "")
      for (let id = from; id <= to; id++) tick(id, tone)
      if (index > 0) seam((from - 0.5) * pitch, tone)
    })
    pen.fillStyle = colour("--soft")
    for (let id = step; id * pitch <= width - 12; id += step)
      pen.fillText(`${id}`, id * pitch - pitch / 2, height)

    /** @param {number} id @param {string} tone */
    function tick(id, tone) {
      const isNamed = id % step === 0
      // Closer than two pixels no tick can be told from the next: the named ones stay.
      const thickness = pitch < 2 ? pitch : Math.max(1, Math.round(ratio * (pitch < 4 ? 1 : 1.5))) / ratio
      const x = Math.round((id * pitch - pitch / 2 - thickness / 2) * ratio) / ratio
      const length = isNamed ? TICK.named : id % (step / 2) === 0 && pitch >= 2 ? TICK.fifth : TICK.plain
      pen.fillStyle = tone
      pen.fillRect(x, 6, thickness, length)
    }

    /** @param {number} x @param {string} tone */
    function seam(x, tone) {
      pen.fillStyle = tone
      pen.beginPath()
      pen.moveTo(x - pitch / 2 - 4, 0)
      pen.lineTo(x - pitch / 2 + 4, 0)
      pen.lineTo(x - pitch / 2, 5)
      pen.fill()
    }
  }
}

/**
 * Halved until all fit, so that it changes seldom.
 *
 * @param {number} width @param {number} last
 */
export function scaleOf(width, last) {
  let pitch = WIDEST
  while (pitch * (last + 1) > width && width > 0) pitch /= 2
  let step = 10
  for (let turn = 0; step * pitch < APART; turn++) step *= turn % 3 === 1 ? 2.5 : 2
  return { pitch, step }
}

/** @param {readonly Part[]} parts */
export function describeParts(parts) {
  const last = parts.at(-1)?.to
  if (last === undefined) return "No events yet"
  const spans = parts.map(({ from, to }, index) => `${from} to ${to} over connection ${index + 1}`)
  return parts.length === 1 ? `Events ${parts[0]?.from} to ${last}` : `Events ${spans.join(", ")}`
}
