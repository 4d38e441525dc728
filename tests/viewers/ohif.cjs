// Opens a study in OHIF in headless Chromium and does what it is told: `node ohif.cjs '{"chromium", "address", "steps"}'`.
//
// Steps, one key each: open (part of a series' description), press (a button's label), next (the viewer's arrow to the
// next measurement), jump (a place in LPS, mm), look (a file to put the picture in).
//
// Prints {"looks": [...], "complaints": [...]}: for each look the page's text, the identifier of the image shown and the
// viewer's linear map from LPS, mm, to pixels of the page; complaints are what console and page called errors, and
// requests to another origin.
const { chromium } = require("playwright-core");

const FLAGS = [
  "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
];
const SETTLE_MS = 1000, PAUSE_MS = 400, STILL_PICTURES = 3, LONGEST_MS = 60000;

async function main(order) {
  const browser = await chromium.launch({ executablePath: order.chromium, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
  page.setDefaultTimeout(LONGEST_MS);
  const complaints = listen(page, new URL(order.address).origin);
  const looks = [];
  await page.goto(order.address);
  await page.getByText("Skip all").click(); // the tour for newcomers
  for (const step of order.steps) {
    const [verb] = Object.keys(step);
    const seen = await VERBS[verb](page, step[verb]);
    if (seen) looks.push(seen);
  }
  await browser.close();
  process.stdout.write(JSON.stringify({ looks, complaints }));
}

function listen(page, origin) {
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (address.protocol.startsWith("http") && address.origin !== origin) complaints.push(`asked ${address.host}`);
  });
  return complaints;
}

const VERBS = {
  async open(page, description) {
    const series = page.locator('[data-cy^="study-browser-thumbnail"]').filter({ hasText: description });
    await series.dblclick();
    await settled(page);
  },
  async press(page, label) {
    await page.getByRole("button", { name: label, exact: true }).click();
    await settled(page);
  },
  async next(page) {
    await page.locator('[data-cy="viewport-grid"] svg.rotate-180').click();
    await settled(page);
  },
  async jump(page, place) {
    await page.evaluate((mm) => window.cornerstone.getEnabledElements()[0].viewport.jumpToWorld(mm), place);
    await settled(page);
  },
  async look(page, file) {
    // An annotation that came before its viewport was ready is drawn at the next render, whenever that is.
    await page.evaluate(() => window.cornerstone.getEnabledElements().forEach(({ viewport }) => viewport.render()));
    await still(page, file);
    return { ...(await page.evaluate(shown)), text: await page.evaluate(() => document.body.innerText) };
  },
};

async function settled(page) {
  await page.waitForTimeout(SETTLE_MS);
  await page.waitForFunction(() => !/loading/i.test(document.querySelector('[data-cy="viewport-grid"]').innerText));
}

async function still(page, file) {
  const until = Date.now() + LONGEST_MS;
  let before = Buffer.alloc(0);
  for (let same = 1; same < STILL_PICTURES; ) {
    if (Date.now() > until) throw new Error("the page does not come to rest");
    const now = await page.screenshot({ path: file, animations: "disabled" });
    same = now.equals(before) ? same + 1 : 1;
    before = now;
    await page.waitForTimeout(PAUSE_MS);
  }
}

function shown() {
  const [element] = window.cornerstone.getEnabledElements();
  if (!element) return { image: "", map: [] };
  const { viewport } = element;
  const { x, y } = viewport.canvas.getBoundingClientRect();
  const at = (mm) => viewport.worldToCanvas(mm).map((v, i) => v + [x, y][i]);
  const origin = at([0, 0, 0]);
  const steps = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((mm) => at(mm).map((v, i) => v - origin[i]));
  const map = [0, 1].map((i) => [...steps.map((step) => step[i]), origin[i]]);
  return { image: viewport.getCurrentImageId(), map };
}

main(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(String(error.stack));
  process.exit(1);
});
