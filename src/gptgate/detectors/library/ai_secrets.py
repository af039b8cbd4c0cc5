"""Keys of model providers and of the tools around models."""

from gptgate.detectors.forms import UUID, detector, token
from gptgate.detectors.randomness import is_random

DETECTOR = detector(
    "ai_secrets",
    2,
    (
        token("groq", "A Groq API key.", "gsk_[A-Za-z0-9]{48,56}"),
        token("xai", "An xAI API key.", "xai-[A-Za-z0-9]{70,90}"),
        token("perplexity", "A Perplexity API key.", "pplx-[A-Za-z0-9]{40,64}"),
        token("replicate", "A Replicate API token.", "r8_[A-Za-z0-9]{37,40}"),
        token("openrouter", "An OpenRouter API key.", "sk-or-(?:v1-)?[a-f0-9]{64}"),
        token("fireworks", "A Fireworks API key.", "fw_[A-Za-z0-9]{22,32}", accept=is_random),
        token("langsmith", "A LangSmith key.", "lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", "ls__[a-f0-9]{32}"),
        token("langfuse", "A Langfuse secret key.", f"sk-lf-{UUID}"),
        token("nvidia", "An NVIDIA API key.", "nvapi-[A-Za-z0-9_-]{60,72}"),
        token("cerebras", "A Cerebras API key.", "csk-[a-z0-9]{44,52}"),
        token("pinecone", "A Pinecone API key.", "pcsk_[A-Za-z0-9_]{50,90}"),
        token("tavily", "A Tavily API key.", "tvly-(?:(?:dev|prod)-)?[A-Za-z0-9]{28,40}"),
        token("wandb", "A Weights & Biases API key.", "wandb_v1_[A-Za-z0-9_]{60,100}"),
        token("anyscale", "An Anyscale credential.", "esecret_[A-Za-z0-9]{20,48}"),
        token("voyage", "A Voyage AI API key.", "pa-[A-Za-z0-9_-]{43}", accept=is_random),
        token("jina", "A Jina AI API key.", "jina_[a-f0-9]{32}[A-Za-z0-9_-]{28}"),
        token("firecrawl", "A Firecrawl API key.", "fc-[a-f0-9]{32}"),
        token("friendli", "A Friendli token.", "flp_[A-Za-z0-9]{40,60}"),
        token("llamacloud", "A LlamaCloud API key.", "llx-[A-Za-z0-9]{40,60}"),
        token("elevenlabs", "An ElevenLabs API key.", "sk_[a-f0-9]{48}"),
        token("together", "A Together AI API key.", "tgp_v1_[A-Za-z0-9_-]{43}"),
        token("runpod", "A RunPod API key.", "rpa_[A-Z0-9]{38,50}[a-z0-9]{0,8}"),
        token("modal", "A Modal token secret.", "as-[A-Za-z0-9]{22}", accept=is_random),
        token("helicone", "A Helicone API key.", "(?:sk|pk)-helicone-[a-z0-9-]{20,48}"),
        token("e2b", "An E2B API key.", "e2b_[a-f0-9]{40}"),
        token("mem0", "A Mem0 API key.", "m0-[A-Za-z0-9]{40}"),
        token("cursor", "A Cursor API key.", "(?:crsr|key)_[a-f0-9]{64}"),
        token("brave", "A Brave Search API key.", "BSA[A-Za-z0-9_-]{28}", accept=is_random),
        token("baidu_qianfan", "A Baidu Qianfan API key.", "bce-v3/ALTAK-[A-Za-z0-9]{18,24}/[a-f0-9]{40}"),
    ),
)
