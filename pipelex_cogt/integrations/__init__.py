"""From a resolved preset to a call: one thin module for each SDK or gateway, each an extra of this package.

from pipelex_cogt.integrations import openai

client = openai.client(llm)
client.chat.completions.create(messages=[{"role": "user", "content": "Hello"}], **openai.arguments(llm))
"""
