// Returns the visible texts whose contrast to what is painted behind them is below a limit.
// Contrast as WCAG 2.2 defines it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
(limit) => {
  const parse = (text) => {
    const [r, g, b, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(srgb") ? 255 : 1;
    return [scale * r, scale * g, scale * b, alpha];
  };
  const over = (top, under) => under.map((c, i) => top[i] * top[3] + c * (1 - top[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour
      .map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.unshift(parse(getComputedStyle(e).backgroundColor));
    }
    return layers.reduce((under, top) => over(top, under), canvas);
  };
  const silent = ["SCRIPT", "STYLE", "TITLE", "DESC", "OPTION", "NOSCRIPT"];
  const faint = new Set();
  for (const e of document.body.querySelectorAll("*")) {
    const texts = [...e.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const own = texts.map((node) => node.data.trim()).join("");
    if (!own || silent.includes(e.tagName)) continue;
    if (!e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(e);
    const paint = e instanceof SVGElement ? style.fill : style.color;
    if (!/^(rgb|color)/.test(paint)) continue;
    const under = behind(e);
    const ratio = contrast(over(parse(paint), under), under);
    if (ratio >= limit) continue;
    const tag = `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`;
    faint.add(`${ratio.toFixed(2)} ${tag}: ${own.slice(0, 40)}`);
  }
  return [...faint];
}
