// Drives Debian's Chromium over the pages that browser.sh made; see there.
import { statSync } from "node:fs";
import { chromium } from "playwright-core";

const [hostile, thousand, load] = process.argv.slice(2);
const FAILING = "get::keyless";
const PAYLOAD = "</script><img src=x onerror=";
let passed = 0;
let failed = 0;

function same(name, expected, observed) {
  if (JSON.stringify(expected) === JSON.stringify(observed)) {
    passed += 1;
    console.log("ok      " + name);
  } else {
    failed += 1;
    console.log(`FAILED  ${name}\n        expected ${JSON.stringify(expected)}\n        observed ${JSON.stringify(observed)}`);
  }
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

// What pages asked for besides themselves, and what they complained about.
const requests = [];
const complaints = [];

async function open(path, width, { hash = "", colorScheme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("request", (request) => { if (!request.url().startsWith(`file://${path}`)) requests.push(request.url()); });
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`file://${path}${hash}`);
  return page;
}

const shot = (page, name) => page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
const visible = (page) => page.locator("#grids .cell:visible").count();
const detail = (page) => page.locator("#detail");
const cell = (page, name) => page.locator(`#grids .cell[href="#${name}"]`);
// The page answers a click or a key when the browser has told it, which may be later.
const shows = (page, name) => detail(page).filter({ hasText: name }).waitFor();
const moved = async (page, from) => {
  await page.waitForFunction((from) => location.hash !== from, from);
  return page.evaluate(() => location.hash);
};
// Whether the whole width is used without scrolling sideways.
const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

try {
  let page = await open(hostile, 1280);
  same("the conclusion comes first", "✗ not conformant", await page.locator("h1").innerText());
  same("the worst is to be looked at first", "get::keyless", await page.locator("#first a").first().innerText());
  same("every trial is a cell", 18, await visible(page));

  await cell(page, FAILING).click();
  await shows(page, FAILING);
  const shown = await detail(page).innerText();
  same("a click shows the trial", true, shown.includes(FAILING) && shown.includes("leak"));
  same("with the requirement and where it is written", true, shown.includes("scenarios/suites/get.yaml:9:5"));
  same("with what was expected", true, shown.includes("no form of any key"));
  same("with the lines that repeat it", true, shown.includes("ssec test --endpoint") && shown.includes("curl -i"));
  same("the answer's markup is text", true, shown.includes(PAYLOAD));
  same("and makes no element", 0, await page.locator("img").count());
  same("and runs no script", false, (await page.title()).includes("broken out"));
  await shot(page, "detail-1280");
  await cell(page, "list::size").click();
  await shows(page, "list::size");
  const lit = await detail(page).locator("pre.excerpt mark").innerText();
  same("the line of the scenario that decided is lit", true, lit.startsWith("▸") && lit.includes("expect: wrong-key"));
  await cell(page, FAILING).click();
  await shows(page, FAILING);

  const address = await page.evaluate(() => location.hash);
  page = await open(hostile, 1280, { hash: address, colorScheme: "dark" });
  same("its link shows it again", true, (await detail(page).innerText()).includes(PAYLOAD));
  same("and marks its cell", FAILING, (await page.locator("[aria-current]").getAttribute("href")).slice(1));
  await shot(page, "dark-1280");

  page = await open(hostile, 1280);
  await page.keyboard.press("j");
  const first = await moved(page, "");
  await page.keyboard.press("j");
  const second = await moved(page, first);
  same("j goes on", true, first !== "" && first !== second);
  await page.keyboard.press("k");
  same("k goes back", first, await moved(page, second));
  await page.keyboard.press("f");
  same("f leaves what did not pass", 11, await visible(page));
  await page.keyboard.press("f");
  same("and f again brings all back", 18, await visible(page));
  await page.keyboard.press("/");
  await page.keyboard.type("presign fjk");
  same("/ searches, and keys in the field are text", "presign fjk", await page.locator("#search").inputValue());
  await page.locator("#search").fill("presign");
  same("the search leaves what fits", 2, await visible(page));
  same("and says so", "2 of 18 trials", await page.locator("#shown").innerText());
  await page.locator("#search").fill("");
  await page.locator('[data-verdict="pass"]').click();
  same("a verdict can be left out", 13, await visible(page));
  await page.locator('[data-verdict="pass"]').click();
  await page.locator("#level").selectOption("should");
  same("a level can be chosen", 3, await visible(page));
  await shot(page, "filtered-1280");

  page = await open(hostile, 390);
  same("390 px need no scrolling sideways", false, await sideways(page));
  await shot(page, "top-390");
  await cell(page, FAILING).click();
  same("the details cover a small screen", 390, (await detail(page).boundingBox()).width);
  await shot(page, "detail-390");
  await page.keyboard.press("Escape");
  await detail(page).waitFor({ state: "hidden" });
  same("and go away", false, await detail(page).isVisible());

  same("a page of 1,000 failures is below 5 MB", true, statSync(thousand).size < 5 << 20);
  page = await open(thousand, 1280);
  same("it has them all", 1000, await visible(page));
  await page.locator("#search").fill("size-3");
  same("and is searched", 100, await visible(page));
  const time = await page.evaluate(() => {
    const [entry] = performance.getEntriesByType("navigation");
    return Math.round(entry.loadEventEnd - entry.startTime);
  });
  console.log(`        ${(statSync(thousand).size / 1e6).toFixed(1)} MB, loaded in ${time} ms`);
  await shot(page, "thousand-1280");

  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [390, "light"]]) {
    page = await open(load, width, { colorScheme });
    same(`the page of a load has its charts at ${width} px`, 6, await page.locator(".chart").count());
    same("and needs no scrolling sideways", false, await sideways(page));
    same("its target's words are text", 0, await page.locator("img").count());
    // The same line in the light and in the dark page: the style maps it.
    const stroke = await page.locator('.chart polyline[stroke="#0B5CAD"]').first().evaluate((line) => getComputedStyle(line).stroke);
    same(`and follows the ${colorScheme} page`, colorScheme === "dark" ? "rgb(125, 183, 245)" : "rgb(11, 92, 173)", stroke);
    await shot(page, `load-${width}-${colorScheme}`);
  }

  same("no page asked for anything", [], requests);
  same("no page complained", [], complaints);
} catch (error) {
  failed += 1;
  console.log("FAILED  the browser: " + error.message);
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
