"""Who and what the demonstration is made of: plain values, all invented.

Company names say 示例 or Example, bank codes begin with digits or letters that no bank has.
"""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "treasury-demo"  # noqa: S105 - printed for everybody who runs the demo


@dataclass(frozen=True, slots=True)
class BankFigure:
    """A simulated bank: one process. `code` names it, `bic` is what payments to it carry."""

    code: str
    name: str
    country: str
    bic: str


@dataclass(frozen=True, slots=True)
class CompanyFigure:
    code: str
    name: str
    country: str
    currency: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class AccountFigure:
    """An own account; `opening` is its balance when the history begins."""

    company: str
    bank: str
    number: str
    currency: str
    name: str
    opening: str
    minimum: str
    kind: str = "GENERAL"
    branch_code: str = ""
    format: str = "camt.053"
    time_zone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class PersonFigure:
    """Somebody who signs in; `grants` are company codes."""

    name: str
    role: str
    language: str
    grants: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class PayeeFigure:
    """A supplier of one company; `purposes` are what it is paid for."""

    company: str
    name: str
    number: str
    currency: str
    country: str
    bank_code: str
    bank_name: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerFigure:
    """Somebody who pays into accounts of one currency."""

    name: str
    number: str
    currency: str
    texts: tuple[str, ...]


BANKS = (
    BankFigure("EASTBANK", "东方示例银行 Eastern Example Bank", "CN", "DEMOCNSH"),
    BankFigure("RIVERBANK", "长江示例银行 River Example Bank", "CN", "DEMOCNBJ"),
    BankFigure("RHEINBANK", "Rhein Example Bank AG", "DE", "DEMODEFF"),
)

COMPANIES = (
    CompanyFigure("HUAXIA", "华夏示例集团有限公司 Huaxia Example Group", "CN", "CNY"),
    CompanyFigure("HXTRADE", "华夏示例贸易（上海）有限公司", "CN", "CNY", "HUAXIA"),
    CompanyFigure("HXEUROPE", "Huaxia Example Europe GmbH", "DE", "EUR", "HUAXIA"),
)

BERLIN = "Europe/Berlin"
ACCOUNTS = (
    AccountFigure("HUAXIA", "EASTBANK", "9929010100000017", "CNY", "集团基本户 Group main", "18600000.00",
                  "2000000", "BASIC", "999290100013"),
    AccountFigure("HUAXIA", "EASTBANK", "9929010100000025", "USD", "集团美元户 Group USD", "1450000.00",
                  "100000", branch_code="999290100013"),
    AccountFigure("HUAXIA", "RIVERBANK", "9929020200000033", "CNY", "集团结算户 Group settlement",
                  "5200000.00", "500000", branch_code="999290200014", format="mt940"),
    AccountFigure("HUAXIA", "RIVERBANK", "9929020200000041", "JPY", "集团日元户 Group JPY", "86000000",
                  "5000000", branch_code="999290200014", format="mt940"),
    AccountFigure("HXTRADE", "EASTBANK", "9929010100000058", "CNY", "贸易基本户 Trade main", "7400000.00",
                  "500000", "BASIC", "999290100013"),
    AccountFigure("HXTRADE", "RIVERBANK", "9929020200000066", "CNY", "贸易一般户 Trade general",
                  "3100000.00", "200000", branch_code="999290200014", format="mt940"),
    AccountFigure("HXTRADE", "EASTBANK", "9929010100000074", "USD", "贸易美元户 Trade USD", "820000.00",
                  "50000", branch_code="999290100013"),
    AccountFigure("HXEUROPE", "RHEINBANK", "DE12999000010000104711", "EUR", "Operating account",
                  "1260000.00", "150000", "BASIC", time_zone=BERLIN),
    AccountFigure("HXEUROPE", "RHEINBANK", "DE11999000010000104729", "EUR", "Payroll account", "340000.00",
                  "50000", format="mt940", time_zone=BERLIN),
    AccountFigure("HXEUROPE", "RHEINBANK", "DE51999000010000209933", "USD", "USD account", "410000.00",
                  "25000", time_zone=BERLIN),
)  # fmt: skip

ALL = tuple(company.code for company in COMPANIES)
PEOPLE = (
    PersonFigure("Alice", "clerk", "", ALL, "enters payments, imports statements and journals"),
    PersonFigure("Bob", "manager", "", ALL, "approves payments"),
    PersonFigure("Bella", "manager", "zh-hans", ALL, "approves payments, the second one for large amounts"),
    PersonFigure("Carol", "treasurer", "", ALL, "plans cash, sets up and runs sweeps, confirms payees"),
    PersonFigure("Dave", "reconciler", "", ALL, "matches bank and books, closes days"),
    PersonFigure("Erin", "admin", "", ALL, "sets up banks and approval rules"),
    PersonFigure("Eve", "admin", "", ALL, "confirms what Erin sets up"),
    PersonFigure("Mallory", "clerk", "", (), "sees nothing: no company was granted"),
)

PAYEES = (
    PayeeFigure("HUAXIA", "北京示例设备有限公司", "9991001000000117", "CNY", "CN", "999100100115",
                "示例工业银行北京分行", ("设备采购款", "备件款", "维修费")),
    PayeeFigure("HUAXIA", "上海示例物流有限公司", "9991002000000221", "CNY", "CN", "999100200128",
                "示例物流银行上海分行", ("运费", "仓储费")),
    PayeeFigure("HUAXIA", "深圳示例软件有限公司", "9995803000000335", "CNY", "CN", "999580300136",
                "示例科技银行深圳分行", ("软件服务费", "技术开发费")),
    PayeeFigure("HUAXIA", "Example Machinery Inc.", "990004417", "USD", "US", "DEMOUS33",
                "Example Bank of America", ("Machine tools", "Spare parts")),
    PayeeFigure("HUAXIA", "Example Seimitsu K.K.", "9990012233", "JPY", "JP", "DEMOJPJT",
                "Example Bank Tokyo", ("Precision parts", "Tooling")),
    PayeeFigure("HXTRADE", "浙江示例纺织有限公司", "9993304000000448", "CNY", "CN", "999330400147",
                "示例商业银行杭州分行", ("货款", "面料款")),
    PayeeFigure("HXTRADE", "山东示例化工有限公司", "9995105000000552", "CNY", "CN", "999510500153",
                "示例商业银行济南分行", ("原料款", "货款")),
    PayeeFigure("HXTRADE", "Example Freight Ltd.", "990008823", "USD", "HK", "DEMOHKHH",
                "Example Bank Hong Kong", ("Ocean freight", "Terminal handling")),
    PayeeFigure("HXEUROPE", "Beispiel Logistik GmbH", "DE25999002000081000777", "EUR", "DE", "DEMODEFF",
                "Rhein Example Bank AG", ("Spedition", "Lagerkosten")),
    PayeeFigure("HXEUROPE", "Exemple Conseil SARL", "FR2199999000010000000012357", "EUR", "FR", "DEMOFRPP",
                "Banque Exemple", ("Honoraires", "Formation")),
    PayeeFigure("HXEUROPE", "Voorbeeld Kantoor B.V.", "NL75DEMO0000123456", "EUR", "NL", "DEMONL2A",
                "Voorbeeld Bank", ("Office rent", "IT services")),
    PayeeFigure("HXEUROPE", "Example Cloud Corp.", "990006651", "USD", "US", "DEMOUS33",
                "Example Bank of America", ("Cloud services",)),
)  # fmt: skip

CUSTOMERS = (
    CustomerFigure("广州示例电器有限公司", "9996106000000665", "CNY", ("货款", "支付货款 合同{n}")),
    CustomerFigure("成都示例商贸有限公司", "9991007000000779", "CNY", ("货款 发票{n}", "预付款")),
    CustomerFigure("武汉示例机械有限公司", "9995808000000883", "CNY", ("设备款", "尾款 合同{n}")),
    CustomerFigure("Example Retail LLC", "990001102", "USD", ("Invoice {n}", "PO {n} balance")),
    CustomerFigure("Example Imports Pty", "990001209", "USD", ("Invoice {n}",)),
    CustomerFigure("Example Shoji K.K.", "9990044556", "JPY", ("Invoice {n}", "Deposit order {n}")),
    CustomerFigure("Muster Handel GmbH", "DE03999001000077001234", "EUR", ("Rechnung {n}",)),
    CustomerFigure("Esempio Italia S.p.A.", "IT45X9999900001000000123456", "EUR", ("Fattura {n}",)),
)

TYPICAL = {"CNY": (1_200, 180_000), "USD": (400, 32_000), "EUR": (300, 24_000), "JPY": (60_000, 3_500_000)}
"""Smallest and largest everyday amount of a currency."""

FEES = {"CNY": ("15.00", "手续费"), "USD": ("25.00", "Wire fee"), "EUR": ("4.50", "Kontoführung"),
        "JPY": ("880", "Transfer fee")}  # fmt: skip

DEBITS = {"CNY": ("代发工资", "代扣社保", "代缴税款", "电费"), "USD": ("Payroll", "Insurance"),
          "EUR": ("Gehälter", "Strom", "Krankenkasse"), "JPY": ("Rent", "Electricity")}  # fmt: skip
"""What is drawn from accounts of a currency without a payment order of ours."""

RATES = {("USD", "CNY"): "7.1200", ("EUR", "CNY"): "8.2600", ("JPY", "CNY"): "0.0476"}
"""Around these the daily rates of the history move."""
