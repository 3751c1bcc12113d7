// Sums rows of orders by article: what the cases of policies/data-transform.toml ask for.

type Row = { article: string; quantity: number; cents: number };

const isRight = ({ article, quantity, cents }: Row): boolean =>
  typeof article === "string" && Number.isSafeInteger(quantity) && quantity > 0 && Number.isSafeInteger(cents) && cents >= 0;

async function rateTo(currency: string): Promise<number | null> {
  try {
    const answer = await fetch(`https://rates.example/latest?base=EUR&symbol=${encodeURIComponent(currency)}`);
    return (await answer.json()).rate;
  } catch {
    return null; // Without a rate the sums stay in euros.
  }
}

export default async function transform({ rows, currency }: { rows: Row[]; currency?: string }) {
  const right = rows.filter(isRight);
  const articles = new Map<string, Row>();
  for (const { article, quantity, cents } of right) {
    const sum = articles.get(article) ?? { article, quantity: 0, cents: 0 };
    articles.set(article, { article, quantity: sum.quantity + quantity, cents: sum.cents + quantity * cents });
  }
  const all = [...articles.values()];
  const sums = { articles: all, cents: all.reduce((cents, sum) => cents + sum.cents, 0), left_out: rows.length - right.length };
  return currency === undefined ? sums : { ...sums, rate: await rateTo(currency) };
}
