// What policies import as "weft".
export { edit, Edited, redirect, Redirect, respond, waypoint } from "./answer";
export { Attribute } from "./attribute";
export { CidrSet } from "./cidr-set";
export { Address, Connection, Destination, Party, Protocol } from "./connection";
export { Host } from "./host";
export { address, AddressText, KeyTable } from "./key-table";
export { HostTable, PathTable, RegexTable } from "./pattern-table";
export { pattern, Pattern } from "./pattern";
export { PortSet } from "./port-set";
export { Request } from "./request";
export { RuleList } from "./rule-list";
export { cluster, Route, split, splitBy } from "./route";
export { Table } from "./table";
export { Verdict } from "./verdict";
export { View } from "./view";
