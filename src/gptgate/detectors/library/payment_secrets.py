"""Keys of payment, banking, commerce, shipping and ledgers."""

from gptgate.detectors.forms import UUID, detector, token
from gptgate.detectors.randomness import is_random

DETECTOR = detector(
    "payment_secrets",
    2,
    (
        token("square", "A Square token or secret.", "sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}", "EAAA[A-Za-z0-9_-]{56,64}"),
        token("shopify", "A Shopify token or secret.", "shp(?:at|ca|pa|ss|ua|tka)_[a-fA-F0-9]{32}"),
        token(
            "braintree",
            "A Braintree access token.",
            r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",
        ),
        token("adyen", "An Adyen API key.", "AQE[a-z][A-Za-z0-9+/=_.-]{100,200}", accept=is_random),
        token(
            "flutterwave", "A Flutterwave secret key.", "FLWSECK(?:_TEST)?-[a-fA-F0-9]{32}(?:-[A-Za-z0-9]{10,14}vt)?-X"
        ),
        token("razorpay", "A Razorpay key id.", "rzp_(?:live|test)_[A-Za-z0-9]{14}"),
        token("plaid", "A Plaid access token.", f"access-(?:sandbox|development|production)-{UUID}"),
        token("gocardless", "A GoCardless token.", "(?:live|sandbox)_[A-Za-z0-9_-]{40}", accept=is_random),
        token("mollie", "A Mollie API key.", "(?:live|test)_[A-Za-z0-9]{30}", accept=is_random),
        token("checkout_com", "A Checkout.com secret key.", "sk_(?:sbox_)?[a-z0-9]{27,31}", accept=is_random),
        token("lob", "A Lob API key.", "(?:live|test)_[a-f0-9]{35}"),
        token("easypost", "An EasyPost API key.", "EZ[AT]K[A-Za-z0-9]{54}"),
        token("shippo", "A Shippo token.", "shippo_(?:live|test)_[a-f0-9]{40}"),
        token("duffel", "A Duffel token.", "duffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
        token("paddle", "A Paddle API key.", "pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}"),
        token("polar", "A Polar token.", "polar_(?:oat|pat|cst)_[A-Za-z0-9]{40,60}"),
        token("mercado_pago", "A Mercado Pago access token.", "APP_USR-[0-9]{10,20}-[0-9]{6}-[a-f0-9]{32}-[0-9]{6,12}"),
        token("asaas", "An Asaas API key.", r"aact_(?:prod_|hmlg_)?[A-Za-z0-9:+/=]{60,200}"),
        token("mercury", "A Mercury API token.", "secret-token:mercury_[a-z]{4,12}_[A-Za-z0-9_]{30,120}"),
        token("alchemy", "An Alchemy API key.", "alcht_[A-Za-z0-9]{30}", r"g\.alchemy\.com/v2/[A-Za-z0-9_-]{32}"),
        token("infura", "An Infura key in an address.", r"infura\.io/(?:ws/)?v3/[a-f0-9]{32}"),
        token("wallet", "The extended private key of a wallet (BIP 32).", "[xyz]prv[1-9A-HJ-NP-Za-km-z]{107}"),
        token("xendit", "A Xendit secret key.", "xnd_(?:development|production)_[A-Za-z0-9]{36,80}"),
        token("omise", "An Omise secret key.", "skey_(?:test_)?[a-z0-9]{17,20}"),
        token("midtrans", "A Midtrans server key.", "Mid-server-[A-Za-z0-9_-]{24}"),
        token("ramp", "A Ramp client secret.", "ramp_sec_[A-Za-z0-9]{48}"),
        token("tremendous", "A Tremendous API key.", "(?:TEST|PROD)_[A-Za-z0-9_-]{42,46}", accept=is_random),
    ),
)
