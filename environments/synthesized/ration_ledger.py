"""A mountain hut keeps one account of rations for each expedition; stores[e] is the number of rations
of expedition e. Requests come in order: request r wants amounts[r] rations (0 or more) and is
addressed to the first expedition if r is 0, to the second one if r is 1, and so on; after the last
expedition it is the turn of the first one again. An account that has enough rations pays in full.
Otherwise the request passes to the next account (after the last one to the first), until an account
can pay or all have been asked once; then it is refused. An account that pays for a request that was
not addressed to it must pay one ration more, and can only pay if it has that many. Answer with a
list with the number of the account that paid each request, or -1. There is at least one expedition
if there is a request.

You are not shown stores and amounts; ask the tools about them.
"""


META = {
    'title': 'Ration ledger',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem ration-ledger',
    'license': 'MIT',
}


def can_pay(stores, amounts, account, request):
    return stores[account] >= amounts[request]

def can_pay_with_fee(stores, amounts, account, request):
    return stores[account] > amounts[request]

def payers(stores, amounts):
    accounts = len(stores)
    paid = []
    for request in range(len(amounts)):
        account = request % accounts
        if can_pay(stores, amounts, account, request):
            stores[account] -= amounts[request]
            paid.append(account)
            continue
        payer = -1
        for step in range(1, accounts):
            account = (request + step) % accounts
            if can_pay_with_fee(stores, amounts, account, request):
                stores[account] -= amounts[request] + 1
                payer = account
                break
        paid.append(payer)
    return paid


class Environment:
    def __init__(self, stores: list[int], amounts: list[int]):
        self.stores = stores
        self.amounts = amounts

    def count_stores(self) -> int:
        """Returns the length of `stores`."""
        return len(self.stores)

    def count_amounts(self) -> int:
        """Returns the length of `amounts`."""
        return len(self.amounts)

    def can_pay(self, account: int, request: int) -> bool:
        """Returns whether an account has enough rations for a request.

        Args:
            account: position in `stores`, counted from 0.
            request: position in `amounts`, counted from 0.
        """
        if not 0 <= account < len(self.stores):
            raise ValueError(f"account must be at least 0 and less than {len(self.stores)}.")
        if not 0 <= request < len(self.amounts):
            raise ValueError(f"request must be at least 0 and less than {len(self.amounts)}.")
        try:
            return bool(can_pay(self.stores, self.amounts, account, request))
        except Exception:
            raise ValueError("can_pay is not defined for this account and request; choose other arguments.")

    def change_stores_minus_amounts(self, account: int, request: int) -> None:
        """Subtracts `amounts[request]` from `stores[account]`.

        Args:
            account: position in `stores`, counted from 0.
            request: position in `amounts`, counted from 0.
        """
        if not 0 <= account < len(self.stores):
            raise ValueError(f"account must be at least 0 and less than {len(self.stores)}.")
        if not 0 <= request < len(self.amounts):
            raise ValueError(f"request must be at least 0 and less than {len(self.amounts)}.")
        try:
            self.stores[account] -= self.amounts[request]
        except Exception:
            raise ValueError("change_stores_minus_amounts is not defined for this account and request; choose other arguments.")

    def can_pay_with_fee(self, account: int, request: int) -> bool:
        """Returns whether an account has more rations than a request wants.

        Args:
            account: position in `stores`, counted from 0.
            request: position in `amounts`, counted from 0.
        """
        if not 0 <= account < len(self.stores):
            raise ValueError(f"account must be at least 0 and less than {len(self.stores)}.")
        if not 0 <= request < len(self.amounts):
            raise ValueError(f"request must be at least 0 and less than {len(self.amounts)}.")
        try:
            return bool(can_pay_with_fee(self.stores, self.amounts, account, request))
        except Exception:
            raise ValueError("can_pay_with_fee is not defined for this account and request; choose other arguments.")

    def change_stores_minus_amounts_plus_1(self, account: int, request: int) -> None:
        """Subtracts `amounts[request]` plus 1 from `stores[account]`.

        Args:
            account: position in `stores`, counted from 0.
            request: position in `amounts`, counted from 0.
        """
        if not 0 <= account < len(self.stores):
            raise ValueError(f"account must be at least 0 and less than {len(self.stores)}.")
        if not 0 <= request < len(self.amounts):
            raise ValueError(f"request must be at least 0 and less than {len(self.amounts)}.")
        try:
            self.stores[account] -= self.amounts[request] + 1
        except Exception:
            raise ValueError("change_stores_minus_amounts_plus_1 is not defined for this account and request; choose other arguments.")


def reference(stores: list[int], amounts: list[int]) -> list[int]:
    return payers(stores, amounts)


def solve(tools):
    count_amounts = tools.count_amounts()
    accounts = tools.count_stores()
    paid = []
    for request in range(count_amounts):
        account = request % accounts
        if tools.can_pay(account=account, request=request):
            tools.change_stores_minus_amounts(account=account, request=request)
            paid.append(account)
            continue
        payer = -1
        for step in range(1, accounts):
            account = (request + step) % accounts
            if tools.can_pay_with_fee(account=account, request=request):
                tools.change_stores_minus_amounts_plus_1(account=account, request=request)
                payer = account
                break
        paid.append(payer)
    return paid
