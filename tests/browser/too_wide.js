// Returns the elements that reach beyond the right edge of the page and are in no scrolled box.
() => {
  const room = document.documentElement.clientWidth;
  const clipped = (element) => {
    for (let e = element.parentElement; e; e = e.parentElement) {
      if (getComputedStyle(e).overflowX !== "visible") return true;
    }
    return false;
  };
  const reaching = [...document.body.querySelectorAll("*")]
    .filter((e) => e.getBoundingClientRect().right > room + 1 && !clipped(e))
    .map((e) => e.outerHTML.slice(0, 90));
  const page = document.documentElement.scrollWidth > room ? ["the page itself"] : [];
  return [...reaching, ...page];
}
