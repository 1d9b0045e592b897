// Who may open the shop: tenants with a plan. The table is generated, not listed.
import { Connection, Table, Verdict } from "weft";

const FREE: u32 = 1;
const PAID: u32 = 2;

const plans = new Table<u32>("plans");
for (let i = 0; i < 1000; i++) plans.set("tenant-" + i.toString(), i % 3);
plans.set("acme", PAID);
plans.set("initech", PAID);
plans.set("globex", 0);

export function authorizeConnection(connection: Connection): Verdict {
  const plan = plans.get(connection.source.label("tenant"));
  if (plan == PAID || plan == FREE) return Verdict.Allow;
  return Verdict.Deny;
}
