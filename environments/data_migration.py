"""Move the data of our old order system into the new database. Every row of the old system must in the end
either be loaded or be rejected with a reason. The cutoff is day {cutoff}; days are numbered.

The new database has the same tables and columns and checks its constraints at once: a row that refers to
another one can only be loaded after that one; no two customers have the same e-mail address, apart from
case; a status is "open", "paid" or "void"; only "referred_by" may be empty (null). A row can be loaded with
changed values, and a value of a loaded row can be updated, but no row can be unloaded, and a rejected row
stays rejected.

All branches and products are loaded. Values are taken over unchanged, except where these rules say otherwise:

Customers. A customer is rejected with the first of these reasons that applies: "duplicate", "orphan",
"inactive".
- E-mail addresses are stored in lower case. Rows with the same address, apart from case, are one customer:
  the row with the highest day in "changed" stands for all of them, even if it is itself rejected; the others
  are rejected as "duplicate", whatever else is wrong with them. An order or a "referred_by" that refers to
  one of the others is changed to refer to the row that stands for them.
- A customer whose branch does not exist is rejected as "orphan". A missing country is filled in with the
  country of the branch.
- A customer of whom no order is loaded and whose row was changed before the cutoff is rejected as
  "inactive".
- "referred_by" is emptied if it refers to a customer who does not exist, or to one who, after that change,
  is rejected. It is also emptied if it would refer to the customer's own row.

Orders. An order is rejected with the first of these reasons that applies:
- "orphan": its customer does not exist, or the row that stands for the customer is rejected as an orphan;
- "unknown status": the list of codes does not explain its status (otherwise, the word from the list is
  stored in place of the code);
- "mismatch": its total is not the sum of the amounts of all its lines in the old system (0 without lines);
- "expired": its day is before the cutoff, and by the list of codes its status is not "open";
- "empty": it has no line that can be loaded.
The total of an order that is loaded must be the sum of the amounts of its loaded lines.

Lines. The only reason is "orphan": the order of the line is rejected or does not exist, or its product does
not exist.

There is nothing to answer. Submit when every row has been dealt with.
"""

from typing import Literal, TypedDict

META = {
    "title": "Data migration",
    "tags": ["data", "databases"],
    "public": ["cutoff"],
    "license": "MIT",
    "source": "original",
}

PAGE = 6
REFERENCES = {
    "branches": {},
    "products": {},
    "customers": {"branch": "branches", "referred_by": "customers"},
    "orders": {"customer": "customers"},
    "lines": {"order": "orders", "product": "products"},
}
COLUMNS = {
    "branches": ["country"],
    "products": ["name"],
    "customers": ["email", "country", "branch", "referred_by", "changed"],
    "orders": ["customer", "status", "day", "total"],
    "lines": ["order", "product", "amount"],
}
NUMBERS = ["changed", "day", "total", "amount"]
WORDS = ["open", "paid", "void"]


class Config(TypedDict):
    cutoff: int
    codes: dict[str, str]
    tables: dict[str, dict[str, dict[str, int | str | None]]]


class State(TypedDict):
    loaded: dict[str, dict[str, dict[str, int | str | None]]]
    rejected: dict[str, dict[str, str]]


class Environment:
    def __init__(self, config: Config):
        self.tables = config["tables"]
        self.codes = config["codes"]
        self.loaded = {table: {} for table in COLUMNS}
        self.rejected = {table: {} for table in COLUMNS}

    def count_rows(self) -> dict[str, int]:
        """Show how many rows each table of the old system has."""
        return {table: len(self.tables[table]) for table in COLUMNS}

    def read_rows(self, table: str, after: str) -> dict[str, dict[str, int | str | None]]:
        """Read up to 6 rows of the old system, by key, in the order of the keys.

        Args:
            table: name of the table.
            after: a key of the table, only keys after it are read; empty to begin at the first.
        """
        check_table(table)
        if after and after not in self.tables[table]:
            raise ValueError(f"{table} has no row {after}")
        keys = [key for key in sorted(self.tables[table]) if key > after]
        return {key: self.tables[table][key] for key in keys[:PAGE]}

    def status_code(self, code: str) -> str:
        """Look up a status of the old system in the list of codes.

        Args:
            code: the status as the old system has it.
        """
        if code not in self.codes:
            raise ValueError(f"the list does not explain {code}")
        return self.codes[code]

    def load(self, table: str, keys: list[str]) -> int:
        """Load rows as they are, in the given order; stops at the first that cannot be loaded.

        Args:
            table: name of the table.
            keys: keys of the rows, up to 5.
        """
        check_keys(self, table, keys)
        for place, key in enumerate(keys):
            insert(self, table, key, self.tables[table][key], f"{place} loaded; ")
        return len(keys)

    def load_changed(self, table: str, key: str, changes: dict[str, int | str | None]) -> bool:
        """Load a row with some of its values changed.

        Args:
            table: name of the table.
            key: key of the row.
            changes: the new values, by column.
        """
        check_keys(self, table, [key])
        for column in changes:
            check_column(table, column)
        insert(self, table, key, {**self.tables[table][key], **changes}, "")
        return True

    def update(self, table: str, key: str, column: str, value: int | str | None) -> bool:
        """Update a value of a row that has been loaded.

        Args:
            table: name of the table.
            key: key of the row.
            column: name of the column.
            value: the new value.
        """
        check_table(table)
        check_column(table, column)
        if key not in self.loaded[table]:
            raise ValueError(f"{table} has no loaded row {key}")
        row = {**self.loaded[table][key], column: value}
        check_row(self, table, key, row, "")
        self.loaded[table][key] = row
        return True

    def reject(
        self,
        table: str,
        keys: list[str],
        reason: Literal["duplicate", "orphan", "inactive", "unknown status", "mismatch", "expired", "empty"],
    ) -> int:
        """Reject rows of the old system.

        Args:
            table: name of the table.
            keys: keys of the rows, up to 5.
            reason: why they are not loaded.
        """
        check_keys(self, table, keys)
        for key in keys:
            self.rejected[table][key] = reason
        return len(keys)

    def final_state(self) -> State:
        return {"loaded": self.loaded, "rejected": self.rejected}


def check_table(table: str) -> None:
    if table not in COLUMNS:
        raise ValueError(f"table must be one of {', '.join(COLUMNS)}")


def check_column(table: str, column: str) -> None:
    if column not in COLUMNS[table]:
        raise ValueError(f"{table} has the columns {', '.join(COLUMNS[table])}")


def check_keys(environment, table: str, keys: list[str]) -> None:
    check_table(table)
    if not 1 <= len(keys) <= 5 or len(set(keys)) < len(keys):
        raise ValueError("keys must be 1 to 5 different keys")
    for key in keys:
        if key not in environment.tables[table]:
            raise ValueError(f"{table} has no row {key}")
        if key in environment.loaded[table] or key in environment.rejected[table]:
            raise ValueError(f"row {key} of {table} has been dealt with already")


def check_row(environment, table: str, key: str, row: dict, prefix: str) -> None:
    for column, value in row.items():
        expected = REFERENCES[table].get(column)
        if value is None and column != "referred_by":
            raise ValueError(f"{prefix}{key}: {column} is required")
        if value is not None and isinstance(value, str) == (column in NUMBERS):
            raise ValueError(f"{prefix}{key}: {column} has a value of the wrong type")
        if value is not None and expected is not None and value not in environment.loaded[expected]:
            raise ValueError(f"{prefix}{key}: {column} refers to {value}, which is not loaded in {expected}")
        if column == "status" and value not in WORDS:
            raise ValueError(f"{prefix}{key}: status must be one of {', '.join(WORDS)}")
        if column == "email":
            others = environment.loaded[table]
            taken = [
                each for each in others if each != key and others[each]["email"].lower() == value.lower()
            ]
            if taken:
                raise ValueError(f"{prefix}{key}: {taken[0]} has the same e-mail address")


def insert(environment, table: str, key: str, row: dict, prefix: str) -> None:
    check_row(environment, table, key, row, prefix)
    environment.loaded[table][key] = dict(row)


def taken_rows(customers: dict, forgotten: str) -> dict[str, str]:
    """For each customer of the old system the row that is taken for them."""
    taken = {}
    for key, row in customers.items():
        same = [each for each in customers if customers[each]["email"].lower() == row["email"].lower()]
        if forgotten == "case matters in addresses":
            same = [each for each in customers if customers[each]["email"] == row["email"]]
        first = forgotten == "the first of equal customers is taken"
        taken[key] = min(same) if first else max(same, key=lambda each: customers[each]["changed"])
    return taken


def order_fault(config: Config, key: str, customer: str | None, forgotten: str) -> str | None:
    """Why an order is rejected whose customer is this one, or None."""
    tables, row = config["tables"], config["tables"]["orders"][key]
    own = [each for each in tables["lines"].values() if each["order"] == key]
    status = config["codes"].get(row["status"])
    expires = row["day"] < config["cutoff"] and (status != "open" or forgotten == "open orders expire")
    if customer is None or tables["customers"][customer]["branch"] not in tables["branches"]:
        return "orphan"
    if status is None:
        return "unknown status"
    if row["total"] != sum(each["amount"] for each in own) and forgotten != "totals are not compared":
        return "mismatch"
    if expires and forgotten != "nothing expires":
        return "expired"
    if any(each["product"] in tables["products"] for each in own) or forgotten == "empty orders are loaded":
        return None
    return "empty"


def plan(config: Config, forgotten: str) -> State:
    """What must be loaded and rejected, by all rules but the forgotten one."""
    tables, customers = config["tables"], config["tables"]["customers"]
    rejected = {table: {} for table in COLUMNS}
    loaded = {table: {} for table in COLUMNS}
    loaded["branches"], loaded["products"] = tables["branches"], tables["products"]
    taken = taken_rows(customers, forgotten)
    merged = [key for key in customers if taken[key] != key]
    if forgotten == "references to duplicates are not changed":
        taken = {key: key for key in customers if key not in merged}
    for key, row in tables["orders"].items():
        customer = taken.get(row["customer"])
        fault = order_fault(config, key, customer, forgotten)
        if fault is not None:
            rejected["orders"][key] = fault
        else:
            status = config["codes"][row["status"]]
            loaded["orders"][key] = {**row, "customer": customer, "status": status}
    for key, row in tables["lines"].items():
        if row["order"] in loaded["orders"] and row["product"] in tables["products"]:
            loaded["lines"][key] = row
        else:
            rejected["lines"][key] = "orphan"
    for key, row in loaded["orders"].items():
        if forgotten != "totals stay as they are":
            row["total"] = sum(each["amount"] for each in loaded["lines"].values() if each["order"] == key)
    ordering = {row["customer"] for row in loaded["orders"].values()}
    for key, row in customers.items():
        idle = key not in ordering and row["changed"] < config["cutoff"]
        if key in merged:
            rejected["customers"][key] = "duplicate"
        elif row["branch"] not in tables["branches"]:
            rejected["customers"][key] = "orphan"
        elif idle and forgotten != "inactive customers are loaded":
            rejected["customers"][key] = "inactive"
    for key, row in customers.items():
        if key not in rejected["customers"]:
            referrer = taken.get(row["referred_by"])
            if referrer == key or referrer in rejected["customers"]:
                referrer = None
            country = row["country"] or tables["branches"][row["branch"]]["country"]
            changed = {"email": row["email"].lower(), "country": country, "referred_by": referrer}
            loaded["customers"][key] = {**row, **changed}
    return {"loaded": loaded, "rejected": rejected}


def accepts(state: State, config: Config) -> bool:
    return state == plan(config, "")


MISTAKES = [
    "case matters in addresses",
    "the first of equal customers is taken",
    "references to duplicates are not changed",
    "open orders expire",
    "nothing expires",
    "totals are not compared",
    "totals stay as they are",
    "empty orders are loaded",
    "inactive customers are loaded",
]


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    return {name: {"state": plan(config, name)} for name in MISTAKES}


def solve(tools, cutoff):
    tables = {}
    for table in tools.count_rows():
        rows, page = {}, tools.read_rows(table=table, after="")
        while page:
            rows.update(page)
            page = tools.read_rows(table=table, after=max(page)) if len(page) == PAGE else {}
        tables[table] = rows
    words = {}
    for code in sorted({row["status"] for row in tables["orders"].values()}):
        try:
            words[code] = tools.status_code(code=code)
        except ValueError:
            continue
    due = plan({"cutoff": cutoff, "codes": words, "tables": tables}, "")
    for table, rejected in due["rejected"].items():
        for reason in sorted(set(rejected.values())):
            keys = [key for key in sorted(rejected) if rejected[key] == reason]
            for start in range(0, len(keys), 5):
                tools.reject(table=table, keys=keys[start : start + 5], reason=reason)
    for table, loaded in due["loaded"].items():
        unchanged = [key for key in loaded if loaded[key] == tables[table][key] and table != "customers"]
        for start in range(0, len(unchanged), 5):
            tools.load(table=table, keys=unchanged[start : start + 5])
        later = {}
        for key in loaded:
            if key in unchanged:
                continue
            row = loaded[key]
            changes = {column: row[column] for column in row if row[column] != tables[table][key][column]}
            # A customer may refer to one that is loaded only later.
            if table == "customers" and row["referred_by"] is not None and row["referred_by"] >= key:
                later[key] = row["referred_by"]
                changes["referred_by"] = None
            if changes:
                tools.load_changed(table=table, key=key, changes=changes)
            else:
                tools.load(table=table, keys=[key])
        for key, referrer in later.items():
            tools.update(table=table, key=key, column="referred_by", value=referrer)


COUNTRIES = ["AT", "BE", "CH", "DK", "EE", "FI"]
PRODUCTS = "anvil bellows chisel drill edger file gouge hammer".split()
PEOPLE = "ada ben cleo dora emil fay gus hana ivo jana kurt lena milo nora otto pia".split()


def draw_missing(random, keys) -> str:
    """A key of the same form as these that is none of them."""
    prefix, digits = min(keys)[0], len(min(keys)) - 1
    while True:
        key = f"{prefix}{random.randint(10 ** (digits - 1), 10**digits - 1)}"
        if key not in keys:
            return key


def draw_customers(random, count: int, branches: list[str], cutoff: int) -> dict[str, dict]:
    keys = [f"c{number}" for number in sorted(random.sample(range(100, 999), count))]
    names = random.sample([f"{one}.{two}" for one in PEOPLE for two in PEOPLE if one != two], count)
    days = random.sample(range(cutoff - 300, cutoff + 300), count)
    customers = {}
    for key, name, day in zip(keys, names, days):
        email = f"{name}@mail.example"
        known = [row["email"].lower() for row in customers.values()]
        twins = [each for each in known if known.count(each) < 4]
        if twins and random.random() < 0.25:
            twin = random.choice(twins)
            email = random.choice([twin.upper(), twin.title()])
        elif random.random() < 0.2:
            email = email.title()
        others = [each for each in keys if each != key] + [draw_missing(random, keys)]
        customers[key] = {
            "email": email,
            "country": random.choice([*COUNTRIES, None, None]),
            "branch": random.choice(branches) if random.random() < 0.9 else draw_missing(random, branches),
            "referred_by": random.choice(others) if random.random() < 0.4 else None,
            "changed": day,
        }
    return customers


def draw_tables(random, difficulty: int, cutoff: int, codes: dict[str, str], unknown: list[str]) -> dict:
    numbers = sorted(random.sample(range(10, 100), 2 + difficulty // 2))
    branches = {f"b{number}": {"country": random.choice(COUNTRIES)} for number in numbers}
    names = sorted(random.sample(PRODUCTS, (3, 3, 4, 6, 8)[difficulty - 1]))
    numbers = sorted(random.sample(range(10, 100), len(names)))
    products = {f"p{number}": {"name": name} for number, name in zip(numbers, names)}
    customers = draw_customers(random, (4, 7, 11, 18, 27)[difficulty - 1], sorted(branches), cutoff)
    count = (4, 7, 12, 20, 38)[difficulty - 1]
    keys = [f"o{number}" for number in sorted(random.sample(range(1000, 9999), count))]
    orders, lines = {}, {}
    for key in keys:
        owners = [key] * random.choice([1, 1, 2, 2, 3])
        if random.random() < 0.06:
            owners = []
        if random.random() < 0.06:
            owners.append(draw_missing(random, keys))
        total = 0
        for owner in owners:
            amount = random.randint(5, 400)
            total += amount if owner == key else 0
            product = (
                random.choice(sorted(products)) if random.random() < 0.8 else draw_missing(random, products)
            )
            lines[f"l{len(lines) + 100}"] = {"order": owner, "product": product, "amount": amount}
        off = random.random() < 0.12
        orders[key] = {
            "customer": (
                random.choice(sorted(customers))
                if random.random() < 0.93
                else draw_missing(random, customers)
            ),
            "status": random.choice([*sorted(codes), *sorted(codes), random.choice(unknown)]),
            "day": cutoff + random.choice([-90, -20, -1, 0, 5, 40, 120]),
            "total": max(0, total + random.choice([-10, 1, 90])) if off else total,
        }
    return {
        "branches": branches,
        "products": products,
        "customers": customers,
        "orders": orders,
        "lines": lines,
    }


def generate(random, difficulty: int) -> Config:
    while True:
        cutoff = random.randint(1000, 3000)
        letters = random.sample("ABCDEFGHKLMNPRSTUVWZ", 6)
        codes = dict(zip(letters, [*WORDS, random.choice(WORDS)]))
        tables = draw_tables(random, difficulty, cutoff, codes, letters[4:])
        config = {"cutoff": cutoff, "codes": codes, "tables": tables}
        wrong = [not accepts(each["state"], config) for each in mistakes(config).values()]
        loaded = plan(config, "")["loaded"]
        if sum(wrong) >= (5, 8, 9, 9, 9)[difficulty - 1] and 3 * len(loaded["orders"]) >= len(
            config["tables"]["orders"]
        ):
            return config
