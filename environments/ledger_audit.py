"""Find every faulty voucher in the books of a small firm, and put the books right before they are closed.

There are {periods} accounting periods, numbered from 1. Only one period is open at a time: you start in
period 1, and the next one opens when you close the one before. Closing is for good: its lines and vouchers
are out of reach then.

Every voucher stands for one document (an invoice, a payslip, ...) and is booked as two lines: its amount
on the debit side of one account, and the same amount on the credit side of another. The trial balance of
the open period shows for every account the balance in the books and the balance that an outside statement
confirms, both running from the start of the year to the end of the open period; debits count as plus,
credits as minus. The statements are right. Where the two differ, something was booked wrongly. There are
three kinds of fault:
- "transposed": on one of the two lines, two neighbouring digits of the amount were swapped (6132 became
  6312).
- "misposted": one of the two lines was booked to a wrong account, on the right side and with the right
  amount.
- "duplicated": the same document was booked a second time in full, in the same period, under a voucher
  number of its own. The fault is the voucher with the higher number; the other one stands.

In any one period at most one fault touches the balance of an account, and a voucher has at most one fault.
Different documents may share accounts and amount without any fault.

An account shows you its lines as booked. The archive shows you the paper voucher, which is always right,
but hands out at most {pulls} different vouchers per period. If the earlier periods are in order, that is
enough for every voucher that has to be looked at.

Correct what you find before you close a period: rewrite a faulty line to the right account and amount, and
strike out both lines of a duplicate. Each line can be corrected once. A fault that stays in a closed
period distorts the balances of all later ones, and a period whose books do not add up to zero cannot be
closed at all.

The books that you leave behind must say what the paper vouchers say, line by line. Your answer, once all
periods are closed, is an object with one entry for each faulty voucher, from its
number to its kind of fault. For example: {{"V1040": "transposed", "V1077": "duplicated"}}
"""

from typing import Literal, TypedDict

META = {
    "title": "Ledger audit",
    "tags": ["accounting", "search"],
    "public": ["periods", "pulls"],
    "license": "MIT",
    "source": "original",
}

ACCOUNTS = ["bank", "customers", "goods", "loans", "machines", "rent", "sales", "suppliers", "taxes", "wages"]
MOST_AMOUNT = 1_000_000


class Voucher(TypedDict):
    number: str
    document: str
    amount: int
    debit: str
    credit: str


class Line(TypedDict):
    voucher: str
    side: Literal["debit", "credit"]
    account: str
    amount: int


class Balance(TypedDict):
    account: str
    books: int
    statement: int


class TrialBalance(TypedDict):
    period: int
    balances: list[Balance]
    pulls_left: int


class Books(TypedDict):
    closed: list[list[Line]]


def signed(side: str, amount: int) -> int:
    return amount if side == "debit" else -amount


def lines_of(vouchers: list[Voucher], misbooked: dict[str, Line]) -> list[Line]:
    """The lines as the vouchers say, except for those that were booked otherwise."""
    lines = []
    for voucher in vouchers:
        for side in ("debit", "credit"):
            number = voucher["number"]
            line = {"voucher": number, "side": side, "account": voucher[side], "amount": voucher["amount"]}
            wrong = misbooked.get(number)
            lines.append(dict(wrong) if wrong and wrong["side"] == side else line)
    return lines


def added(balances: dict[str, int], lines: list[Line]) -> dict[str, int]:
    total = dict(balances)
    for line in lines:
        total[line["account"]] += signed(line["side"], line["amount"])
    return total


def without_duplicates(vouchers: list[Voucher]) -> list[Voucher]:
    first = {}
    for voucher in vouchers:
        first.setdefault(voucher["document"], voucher)
    return list(first.values())


def swaps(amount: int) -> list[int]:
    """The amounts that one swap of two neighbouring digits makes of this one."""
    digits = str(amount)
    swapped = [digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)]
    return [int(each) for each in swapped if each != digits]


def suspects(lines: list[Line], difference: int) -> list[Line]:
    """The lines of an account of which any one alone would explain its difference."""
    found = []
    for line in lines:
        excess = signed(line["side"], difference)
        if line["amount"] == excess or line["amount"] - excess in swaps(line["amount"]):
            found.append(line)
    return found


class Environment:
    def __init__(
        self,
        periods: int,
        pulls: int,
        opening: dict[str, int],
        vouchers: list[list[Voucher]],
        misbooked: dict[str, Line],
    ):
        self.pulls = pulls
        self.vouchers = vouchers
        self.misbooked = misbooked
        self.carried = dict(opening)
        self.statements = added(opening, lines_of(without_duplicates(vouchers[0]), {}))
        self.period = 0
        self.lines = lines_of(vouchers[0], misbooked)
        self.corrected = []
        self.pulled = []
        self.closed = []

    def trial_balance(self) -> TrialBalance:
        """Show every account's balance at the end of the open period, in the books and by its statement."""
        if self.period == len(self.vouchers):
            raise ValueError("all periods are closed")
        books = added(self.carried, self.lines)
        return {
            "period": self.period + 1,
            "balances": [
                {"account": account, "books": books[account], "statement": self.statements[account]}
                for account in books
            ],
            "pulls_left": self.pulls - len(self.pulled),
        }

    def account(self, account: str) -> list[Line]:
        """List the lines that are booked to an account in the open period, with your corrections.

        Args:
            account: name of the account, as in the trial balance.
        """
        if account not in self.carried:
            raise ValueError(f"account must be one of: {', '.join(self.carried)}")
        return [dict(line) for line in self.lines if line["account"] == account and line["amount"] > 0]

    def pull(self, voucher: str) -> Voucher:
        """Pull a paper voucher of the open period from the archive; pulling the same one again is free.

        Args:
            voucher: number of the voucher, such as V1040.
        """
        if voucher not in [line["voucher"] for line in self.lines]:
            raise ValueError("there is no such voucher in the open period")
        if voucher not in self.pulled:
            if len(self.pulled) == self.pulls:
                raise ValueError("the archive hands out no more vouchers for this period")
            self.pulled.append(voucher)
        return next(dict(found) for found in self.vouchers[self.period] if found["number"] == voucher)

    def correct(self, voucher: str, side: Literal["debit", "credit"], account: str, amount: int) -> int:
        """Rewrite a line in the open period for good; returns what all the books add up to now.

        Args:
            voucher: number of the voucher that the line belongs to.
            side: which of the voucher's two lines.
            account: the account that the line is to be booked to.
            amount: the amount that the line is to have, from 1 to 1000000, or 0 to strike it out.
        """
        if account not in self.carried:
            raise ValueError(f"account must be one of: {', '.join(self.carried)}")
        if not 0 <= amount <= MOST_AMOUNT:
            raise ValueError(f"amount must be between 0 and {MOST_AMOUNT}")
        found = [line for line in self.lines if line["voucher"] == voucher and line["side"] == side]
        if not found:
            raise ValueError("there is no such line in the open period")
        if found[0] in self.corrected:
            raise ValueError("this line has been corrected already")
        found[0].update({"account": account, "amount": amount})
        self.corrected.append(found[0])
        return sum(added(self.carried, self.lines).values())

    def close_period(self) -> int | None:
        """Close the open period for good; returns the period that is open now, or null after the last."""
        if self.period == len(self.vouchers):
            raise ValueError("all periods are closed")
        books = added(self.carried, self.lines)
        total = sum(books.values())
        if total != 0:
            raise ValueError(f"the books must add up to 0 before closing; they add up to {total}")
        self.period += 1
        self.carried = books
        self.closed.append(standing(self.lines))
        self.lines = []
        self.corrected = []
        self.pulled = []
        if self.period == len(self.vouchers):
            return None
        vouchers = self.vouchers[self.period]
        self.lines = lines_of(vouchers, self.misbooked)
        self.statements = added(self.statements, lines_of(without_duplicates(vouchers), {}))
        return self.period + 1

    def final_state(self) -> Books:
        return {"closed": self.closed}


def standing(lines: list[Line]) -> list[Line]:
    """The lines that were not struck out, in a fixed order."""
    return sorted(
        (dict(line) for line in lines if line["amount"] > 0), key=lambda line: (line["voucher"], line["side"])
    )


def reference(
    periods: int,
    pulls: int,
    opening: dict[str, int],
    vouchers: list[list[Voucher]],
    misbooked: dict[str, Line],
) -> dict[str, str]:
    faults = {}
    documents = []
    for voucher in [voucher for period in vouchers for voucher in period]:
        number = voucher["number"]
        if voucher["document"] in documents:
            faults[number] = "duplicated"
        elif number in misbooked:
            same_amount = misbooked[number]["amount"] == voucher["amount"]
            faults[number] = "misposted" if same_amount else "transposed"
        documents.append(voucher["document"])
    return faults


def accepts(
    answer: dict[str, str],
    state: Books,
    periods: int,
    pulls: int,
    opening: dict[str, int],
    vouchers: list[list[Voucher]],
    misbooked: dict[str, Line],
) -> bool:
    right = [standing(lines_of(without_duplicates(period), {})) for period in vouchers]
    return answer == reference(periods, pulls, opening, vouchers, misbooked) and state["closed"] == right


def mistakes(
    periods: int,
    pulls: int,
    opening: dict[str, int],
    vouchers: list[list[Voucher]],
    misbooked: dict[str, Line],
) -> dict:
    answer = reference(periods, pulls, opening, vouchers, misbooked)
    corrected = [lines_of(period, {}) for period in vouchers]
    doubled = [number for number in answer if answer[number] == "duplicated"]
    misread = {number: answer[number] for number in answer if answer[number] != "duplicated"}
    earlier = dict(misread)
    for period in vouchers:
        first = {}
        for voucher in period:
            if first.setdefault(voucher["document"], voucher["number"]) != voucher["number"]:
                earlier[first[voucher["document"]]] = "duplicated"
    return {
        "leaves duplicates in the books": {
            "answer": misread,
            "state": {"closed": [standing(lines) for lines in corrected]},
        },
        "strikes out the first voucher of a duplicate": {
            "answer": earlier,
            "state": {
                "closed": [
                    standing(
                        [line for line in lines if earlier.get(line["voucher"]) != "duplicated"],
                    )
                    for lines in corrected
                ]
            },
        },
        "reports without correcting": {
            "answer": answer,
            "state": {"closed": [standing(lines_of(period, misbooked)) for period in vouchers]},
        },
        "corrects amounts and leaves accounts": {
            "answer": {number: answer[number] for number in answer if answer[number] != "misposted"},
            "state": {
                "closed": [
                    standing(
                        [
                            line
                            for line in lines_of(
                                period,
                                {
                                    number: misbooked[number]
                                    for number in misbooked
                                    if answer[number] == "misposted"
                                },
                            )
                            if line["voucher"] not in doubled
                        ]
                    )
                    for period in vouchers
                ]
            },
        },
    }


def solve(tools, periods, pulls):
    faults = {}
    for period in range(periods):
        papers = {}
        for balance in tools.trial_balance()["balances"]:
            difference = balance["books"] - balance["statement"]
            if difference == 0:
                continue
            for line in suspects(tools.account(account=balance["account"]), difference):
                number, side = line["voucher"], line["side"]
                if number not in papers:
                    papers[number] = tools.pull(voucher=number)
                account, amount = papers[number][side], papers[number]["amount"]
                if (account, amount) != (line["account"], line["amount"]):
                    faults[number] = "transposed" if account == line["account"] else "misposted"
                    tools.correct(voucher=number, side=side, account=account, amount=amount)
        first = {}
        for number in sorted(papers):
            document = papers[number]["document"]
            if first.setdefault(document, number) != number:
                faults[number] = "duplicated"
                for side in ("debit", "credit"):
                    tools.correct(voucher=number, side=side, account=papers[number][side], amount=0)
        tools.close_period()
    return faults


def draw_period(random, accounts: list[str], size: int, faults: int, spare: list[str]) -> tuple:
    """Draw the vouchers of a period, not numbered yet, and by document the lines that are booked wrongly.

    Drawn again until no two faults touch the same account.
    """
    while True:
        documents = list(spare)
        vouchers = []
        for index in range(size):
            debit, credit = random.sample(accounts, 2)
            amount = int("".join(random.sample("123456789", random.choice([3, 4]))))
            vouchers.append({"document": documents.pop(), "amount": amount, "debit": debit, "credit": credit})
        wrong = {}
        touched = []
        for voucher in random.sample(vouchers, faults):
            kind = random.choice(["transposed", "misposted", "duplicated"])
            side = random.choice(["debit", "credit"])
            line = {"side": side, "account": voucher[side], "amount": voucher["amount"]}
            touched.append(voucher[side])
            if kind == "transposed":
                line["amount"] = random.choice(swaps(line["amount"]))
                wrong[voucher["document"]] = line
            elif kind == "misposted":
                parties = (voucher["debit"], voucher["credit"])
                line["account"] = random.choice([account for account in accounts if account not in parties])
                touched.append(line["account"])
                wrong[voucher["document"]] = line
                # An innocent line of that amount in that account: arithmetic alone must not settle it.
                vouchers.append({**voucher, "document": documents.pop(), side: line["account"]})
            else:
                touched = touched[:-1] + [voucher["debit"], voucher["credit"]]
                vouchers.append(dict(voucher))
        if len(set(touched)) == len(touched):
            random.shuffle(vouchers)
            return vouchers, wrong


def pulls_needed(accounts: list[str], vouchers: list[Voucher], misbooked: dict[str, Line]) -> int:
    lines = lines_of(vouchers, misbooked)
    books = added(dict.fromkeys(accounts, 0), lines)
    right = added(dict.fromkeys(accounts, 0), lines_of(without_duplicates(vouchers), {}))
    suspected = []
    for account in accounts:
        if books[account] != right[account]:
            own = [line for line in lines if line["account"] == account]
            suspected += [line["voucher"] for line in suspects(own, books[account] - right[account])]
    return len(set(suspected))


def generate(random, difficulty: int) -> dict:
    while True:
        config = draw_books(random, difficulty)
        kinds = set(reference(**config).values())
        # Each kind of fault occurs, but in the first tasks two of them are enough.
        if len(kinds) >= min(3, difficulty + 1):
            return config


def draw_books(random, difficulty: int) -> dict:
    periods = [2, 3, 3, 4, 6][difficulty - 1]
    size = [7, 9, 12, 15, 18][difficulty - 1]
    faults = [1, 1, 2, 3, 3][difficulty - 1]
    accounts = random.sample(ACCOUNTS, [5, 6, 8, 9, 10][difficulty - 1])
    opening = {account: random.randint(-90, 90) * 100 for account in accounts}
    opening[accounts[0]] -= sum(opening.values())
    codes = random.sample(range(2000, 10000), periods * (size + faults))
    number = 1000
    vouchers = []
    misbooked = {}
    for period in range(periods):
        spare = [f"D{codes.pop()}" for index in range(size + faults)]
        drawn, wrong = draw_period(random, accounts, size, faults, spare)
        for voucher in drawn:
            number += random.randint(1, 9)
            voucher["number"] = f"V{number}"
            if voucher["document"] in wrong:
                misbooked[f"V{number}"] = {"voucher": f"V{number}", **wrong[voucher["document"]]}
        vouchers.append(drawn)
    pulls = max(pulls_needed(accounts, period, misbooked) for period in vouchers)
    return {
        "periods": periods,
        "pulls": pulls,
        "opening": opening,
        "vouchers": vouchers,
        "misbooked": misbooked,
    }
