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
but hands out only so many different vouchers of a period; the trial balance says how many are left.
{slips}
Correct what you find before you close a period: rewrite a faulty line to the right account and amount, and
strike out both lines of a duplicate. Each line can be corrected once. A fault that stays in a closed
period distorts the balances of all later ones, and a period whose books do not add up to zero cannot be
closed at all.

The books that you leave behind must say what the vouchers say, line by line. Your answer, once all periods
are closed, is an object with one entry for each faulty voucher, from its number to its kind of fault. For
example: {{"V1040": "transposed", "V1077": "duplicated"}}
"""

from typing import Literal, TypedDict

META = {
    "title": "Ledger audit",
    "tags": ["accounting", "search"],
    "public": ["periods", "slips"],
    "license": "MIT",
    "source": "original",
}

SLIPS = """
Some vouchers were changed by a slip afterwards.
- A slip gives the amount that a voucher has in place of the one on the paper. It counts only if it was signed
  by the person who signed the voucher. If several count for a voucher, the one with the highest number does.
- There is a fourth kind of fault, "amended": both lines were booked with the amount on the paper, although a
  slip counts. Both have to be corrected.
"""
PAGE = 4
ACCOUNTS = ["bank", "customers", "goods", "loans", "machines", "rent", "sales", "suppliers", "taxes", "wages"]
MOST_AMOUNT = 1_000_000


class Voucher(TypedDict):
    number: str
    document: str
    amount: int
    debit: str
    credit: str
    on_paper: int
    signed: str


class Line(TypedDict):
    voucher: str
    side: Literal["debit", "credit"]
    account: str
    amount: int


class Slip(TypedDict):
    number: str
    voucher: str
    amount: int
    signed: str


class Config(TypedDict):
    periods: int
    slips: str
    pulls: list[int]
    opening: dict[str, int]
    vouchers: list[list[Voucher]]
    misbooked: dict[str, Line]
    slips_of: list[list[Slip]]


class Paper(TypedDict):
    number: str
    document: str
    amount: int
    debit: str
    credit: str
    signed: str


class SlipPage(TypedDict):
    slips: list[Slip]
    next_cursor: int | None


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
    return [line for voucher in vouchers for line in booked(voucher, misbooked)]


def booked(voucher: Voucher, misbooked: dict[str, Line]) -> list[Line]:
    """The two lines of a voucher as they were booked."""
    lines = due(voucher, voucher["amount"])
    wrong = misbooked.get(voucher["number"])
    if wrong and is_amended(voucher, wrong):
        return due(voucher, voucher["on_paper"])
    return [dict(wrong) if wrong and wrong["side"] == line["side"] else line for line in lines]


def is_amended(voucher: Voucher, wrong: Line) -> bool:
    """Whether a voucher was booked with the amount on the paper, although a slip counts."""
    return wrong["amount"] == voucher["on_paper"] != voucher["amount"]


def due(voucher: Voucher, amount: int) -> list[Line]:
    number = voucher["number"]
    return [
        {"voucher": number, "side": side, "account": voucher[side], "amount": amount}
        for side in ("debit", "credit")
    ]


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


def suspects(lines: list[Line], difference: int, slips: list[Slip]) -> list[Line]:
    """The lines of an account of which any one alone would explain its difference."""
    found = []
    for line in lines:
        excess = signed(line["side"], difference)
        others = [slip["amount"] for slip in slips if slip["voucher"] == line["voucher"]]
        if line["amount"] == excess or line["amount"] - excess in swaps(line["amount"]) + others:
            found.append(line)
    return found


class Environment:
    def __init__(self, config: Config):
        self.pulls = config["pulls"]
        self.vouchers = config["vouchers"]
        self.misbooked = config["misbooked"]
        self.slips = config["slips_of"]
        self.carried = dict(config["opening"])
        self.statements = added(self.carried, lines_of(without_duplicates(self.vouchers[0]), {}))
        self.period = 0
        self.lines = lines_of(self.vouchers[0], self.misbooked)
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
            "pulls_left": self.pulls[self.period] - len(self.pulled),
        }

    def account(self, account: str) -> list[Line]:
        """List the lines that are booked to an account in the open period, with your corrections.

        Args:
            account: name of the account, as in the trial balance.
        """
        if account not in self.carried:
            raise ValueError(f"account must be one of: {', '.join(self.carried)}")
        return [dict(line) for line in self.lines if line["account"] == account and line["amount"] > 0]

    def read_slips(self, cursor: int) -> SlipPage:
        """Read the slips that change vouchers of the open period, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        slips = self.slips[self.period] if self.period < len(self.slips) else []
        if not 0 <= cursor <= len(slips) or cursor % PAGE:
            raise ValueError("cursor must be 0 or the next cursor of a page")
        following = cursor + PAGE if cursor + PAGE < len(slips) else None
        return {"slips": slips[cursor : cursor + PAGE], "next_cursor": following}

    def pull(self, voucher: str) -> Paper:
        """Pull a paper voucher of the open period from the archive; pulling the same one again is free.

        Args:
            voucher: number of the voucher, such as V1040.
        """
        if voucher not in [line["voucher"] for line in self.lines]:
            raise ValueError("there is no such voucher in the open period")
        if voucher not in self.pulled:
            if len(self.pulled) == self.pulls[self.period]:
                raise ValueError("the archive hands out no more vouchers for this period")
            self.pulled.append(voucher)
        found = next(each for each in self.vouchers[self.period] if each["number"] == voucher)
        paper = {name: found[name] for name in ("number", "document", "debit", "credit", "signed")}
        return {**paper, "amount": found["on_paper"]}

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


def amount_by_slips(voucher: Voucher, slips: list[Slip], forget: str = "") -> int:
    """The amount of a voucher by the paper and its slips; with one rule forgotten, if it is named."""
    own = [slip for slip in slips if slip["voucher"] == voucher["number"]]
    if forget != "follows slips that others signed":
        own = [slip for slip in own if slip["signed"] == voucher["signed"]]
    if not own or forget == "ignores slips":
        return voucher["on_paper"]
    return own[0 if forget == "follows the first slip" else -1]["amount"]


def second_ones(vouchers: list[Voucher], forget: str) -> list[str]:
    """The numbers of the vouchers by which a document was booked once too often."""
    ordered = sorted(vouchers, key=lambda voucher: voucher["number"], reverse=forget == FIRST_STRUCK)
    documents = [voucher["document"] for voucher in ordered]
    return [voucher["number"] for at, voucher in enumerate(ordered) if voucher["document"] in documents[:at]]


def audited(config: Config, forget: str = "") -> dict:
    """The answer and the final state of an audit; with one rule forgotten, if it is named."""
    faults, closed = {}, []
    for vouchers, slips in zip(config["vouchers"], config["slips_of"]):
        lines = []
        for voucher in vouchers:
            number, wrong = voucher["number"], config["misbooked"].get(voucher["number"])
            before = booked(voucher, config["misbooked"])
            after = due(voucher, amount_by_slips(voucher, slips, forget))
            kind = ""
            if number in second_ones(vouchers, forget):
                kind, after = "duplicated", []
            elif wrong and not is_amended(voucher, wrong):
                kind = "misposted" if wrong["amount"] == voucher["amount"] else "transposed"
            elif before != after:
                kind = "amended"
            left = {"leaves duplicates": "duplicated", "leaves wrong accounts": "misposted"}.get(forget)
            if kind == left:
                kind, after = "", before
            if kind:
                faults[number] = kind
            lines += before if forget == "reports without correcting" else after
        closed.append(standing(lines))
    return {"answer": faults, "state": {"closed": closed}}


def reference(config: Config) -> dict[str, str]:
    return audited(config)["answer"]


def accepts(answer: dict[str, str], state: Books, config: Config) -> bool:
    return {"answer": answer, "state": state} == audited(config)


FIRST_STRUCK = "strikes out the first voucher of a duplicate"
RULES = ["leaves duplicates", FIRST_STRUCK, "leaves wrong accounts", "reports without correcting"]
SLIP_RULES = ["ignores slips", "follows slips that others signed", "follows the first slip"]


def mistakes(config: Config) -> dict:
    return {rule: audited(config, rule) for rule in (RULES + SLIP_RULES if config["slips"] else RULES)}


def solve(tools, periods, slips):
    faults = {}
    for period in range(periods):
        faults.update(audit_period(tools, all_slips(tools) if slips else []))
        tools.close_period()
    return faults


def audit_period(tools, slips: list[Slip]) -> dict[str, str]:
    """Finds and corrects the faults of the open period."""
    balances = tools.trial_balance()["balances"]
    differences = {each["account"]: each["books"] - each["statement"] for each in balances}
    faults, papers = {}, {}

    def correct(line, account, amount):
        tools.correct(voucher=line["voucher"], side=line["side"], account=account, amount=amount)
        differences[line["account"]] -= signed(line["side"], line["amount"])
        differences[account] += signed(line["side"], amount)

    def settle(line):
        """Pulls the voucher of a line and corrects what is wrong; returns whether anything was."""
        number = line["voucher"]
        if number not in papers:
            papers[number] = tools.pull(voucher=number)
        paper = papers[number]
        amount = amount_by_slips({**paper, "on_paper": paper["amount"]}, slips)
        same = [each["number"] for each in papers.values() if each["document"] == paper["document"]]
        if len(same) > 1:
            faults[max(same)] = "duplicated"
            for each in due({**paper, "number": max(same)}, amount):
                correct(each, each["account"], 0)
        elif line["account"] != paper[line["side"]]:
            faults[number] = "misposted"
            correct(line, paper[line["side"]], amount)
        elif line["amount"] == amount:
            return False
        elif line["amount"] == paper["amount"]:
            faults[number] = "amended"
            for each in due(paper, paper["amount"]):
                correct(each, each["account"], amount)
        else:
            faults[number] = "transposed"
            correct(line, line["account"], amount)
        return True

    for account in list(differences):
        if differences[account] != 0:
            for line in suspects(tools.account(account=account), differences[account], slips):
                if settle(line):
                    break
    return faults


def all_slips(tools) -> list[Slip]:
    slips, cursor = [], 0
    while cursor is not None:
        page = tools.read_slips(cursor=cursor)
        slips += page["slips"]
        cursor = page["next_cursor"]
    return slips


PEOPLE = ["Adler", "Bruhn", "Carsten", "Dorn"]


def draw_amount(random, *others: int) -> int:
    amount = 0
    while amount in (0, *others):
        amount = int("".join(random.sample("123456789", random.choice([3, 4]))))
    return amount


def draw_period(random, accounts: list[str], size: int, kinds: list[str], spare: list[str]) -> tuple:
    """Draw the vouchers of a period, not numbered yet, and by document the lines that are booked wrongly.

    Drawn again until no two faults touch the same account.
    """
    while True:
        documents = list(spare)
        vouchers = []
        for index in range(size):
            debit, credit = random.sample(accounts, 2)
            amount = draw_amount(random)
            voucher = {"document": documents.pop(), "amount": amount, "debit": debit, "credit": credit}
            vouchers.append({**voucher, "on_paper": amount, "signed": random.choice(PEOPLE)})
        wrong = {}
        touched = []
        for voucher, kind in zip(random.sample(vouchers, len(kinds)), kinds):
            side = random.choice(["debit", "credit"])
            line = {"side": side, "account": voucher[side], "amount": voucher["amount"]}
            parties = [voucher["debit"], voucher["credit"]]
            if kind == "transposed":
                line["amount"] = random.choice(swaps(line["amount"]))
                touched.append(voucher[side])
            elif kind == "amended":
                line["amount"] = voucher["on_paper"] = draw_amount(random, voucher["amount"])
                touched += parties
            elif kind == "misposted":
                line["account"] = random.choice([account for account in accounts if account not in parties])
                touched += [voucher[side], line["account"]]
                # An innocent line of that amount in that account: arithmetic alone must not settle it.
                vouchers.append({**voucher, "document": documents.pop(), side: line["account"]})
            else:
                touched += parties
                vouchers.append(dict(voucher))
            if kind != "duplicated":
                wrong[voucher["document"]] = line
        if len(set(touched)) == len(touched):
            random.shuffle(vouchers)
            return vouchers, wrong


def draw_slips(random, vouchers: list[Voucher], misbooked: dict[str, Line]) -> list[Slip]:
    """Slips of a period: those that count, earlier ones in their place, and later ones that others signed."""
    documents = [voucher["document"] for voucher in vouchers]
    slips = []
    for voucher in vouchers:
        number, amount, signer = voucher["number"], voucher["amount"], voucher["signed"]
        once = documents.count(voucher["document"]) == 1
        if once and voucher["on_paper"] == amount and random.random() < 0.3:
            in_books = misbooked[number]["amount"] if number in misbooked else amount
            voucher["on_paper"] = draw_amount(random, amount, in_books)
        if voucher["on_paper"] != amount:
            if random.random() < 0.4:
                slips.append({"voucher": number, "amount": draw_amount(random, amount), "signed": signer})
            slips.append({"voucher": number, "amount": amount, "signed": signer})
        if random.random() < 0.2:
            other = random.choice([person for person in PEOPLE if person != signer])
            slips.append({"voucher": number, "amount": draw_amount(random, amount), "signed": other})
    turns = [slip["voucher"] for slip in slips]
    random.shuffle(turns)
    mixed = []
    for turn in turns:
        slip = next(each for each in slips if each["voucher"] == turn)
        slips.remove(slip)
        mixed.append({"number": f"S{len(mixed) + 1}", **slip})
    return mixed


def pulls_needed(
    accounts: list[str], vouchers: list[Voucher], misbooked: dict[str, Line], slips: list[Slip]
) -> int:
    lines = lines_of(vouchers, misbooked)
    books = added(dict.fromkeys(accounts, 0), lines)
    right = added(dict.fromkeys(accounts, 0), lines_of(without_duplicates(vouchers), {}))
    suspected = []
    for account in accounts:
        if books[account] != right[account]:
            own = [line for line in lines if line["account"] == account]
            difference = books[account] - right[account]
            suspected += [line["voucher"] for line in suspects(own, difference, slips)]
    return len(set(suspected))


def draw_books(random, difficulty: int) -> Config:
    periods = [2, 3, 3, 4, 6][difficulty - 1]
    size = [7, 9, 12, 15, 18][difficulty - 1]
    faults = [1, 1, 2, 3, 3][difficulty - 1]
    accounts = random.sample(ACCOUNTS, [5, 6, 8, 9, 10][difficulty - 1])
    opening = {account: random.randint(-90, 90) * 100 for account in accounts}
    opening[accounts[0]] -= sum(opening.values())
    codes = random.sample(range(2000, 10000), periods * (size + faults))
    number = 1000
    config = {"periods": periods, "slips": "", "pulls": [], "opening": opening}
    config.update({"vouchers": [], "misbooked": {}, "slips_of": []})
    for period in range(periods):
        spare = [f"D{codes.pop()}" for index in range(size + faults)]
        kinds = [random.choice(["transposed", "misposted", "duplicated"]) for fault in range(faults)]
        if difficulty > 3 and random.random() < 0.6:
            kinds[0] = "amended"
        vouchers, wrong = draw_period(random, accounts, size, kinds, spare)
        misbooked = {}
        for voucher in vouchers:
            number += random.randint(1, 9)
            voucher["number"] = f"V{number}"
            if voucher["document"] in wrong:
                misbooked[f"V{number}"] = {"voucher": f"V{number}", **wrong[voucher["document"]]}
        slips = []
        if difficulty > 3:
            config["slips"] = SLIPS
            slips = draw_slips(random, vouchers, misbooked)
        config["vouchers"].append(vouchers)
        config["misbooked"].update(misbooked)
        config["slips_of"].append(slips)
        config["pulls"].append(pulls_needed(accounts, vouchers, misbooked, slips))
    return config


def generate(random, difficulty: int) -> Config:
    while True:
        config = draw_books(random, difficulty)
        right = audited(config)
        harmless = [rule for rule, wrong in mistakes(config).items() if wrong == right]
        if len(harmless) <= (2 if difficulty == 1 else 0):
            return config
